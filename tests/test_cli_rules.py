"""`outpost rules` against a hub of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from hub.cli.client import Failed
from hub.cli.main import main
from hub.cli.rules import fetch, replace
from hub.model import Role
from tests.web_hub import web_hub

if TYPE_CHECKING:
    from pathlib import Path

HOT = '[[rule]]\nid = "hot"\nsource = "*/temperature"\ncondition = "above"\nthreshold = 30.0\n'


async def test_rules_come_back_as_they_were_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with web_hub(tmp_path) as hub:
        monkeypatch.setenv("OUTPOST_URL", hub.origin)
        monkeypatch.setenv("OUTPOST_TOKEN", hub.tokens[Role.ADMIN])
        assert await replace(tmp_path, HOT.encode()) == 1
        text = await fetch(tmp_path)
        assert await replace(tmp_path, text.encode()) == 1
        assert await fetch(tmp_path) == text
        with pytest.raises(Failed, match=r"rule\[0\].source"):
            await replace(tmp_path, b"[[rule]]\nid = 'x'\n")
        assert await fetch(tmp_path) == text
        monkeypatch.setenv("OUTPOST_TOKEN", hub.tokens[Role.OPERATOR])
        with pytest.raises(Failed, match="admin"):
            await fetch(tmp_path)


def test_a_file_that_cannot_be_read_is_bad_usage(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["rules", "import", str(tmp_path / "none.toml")])
    assert (done.exit_code, "none.toml: cannot be read" in done.output) == (2, True)
