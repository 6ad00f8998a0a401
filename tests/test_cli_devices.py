"""`outpost devices accept` and `watch`: a name that is misspelt is refused with what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from hil.hub import HubProcess
from hub.cli.main import main
from hub.cli.remote import unheard

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    config = "[serial]\nports = []\n[mqtt]\nenabled = false\n"
    with HubProcess(tmp_path_factory.mktemp("devices") / "data", config=config) as running:
        yield running


def outpost(hub: HubProcess, *arguments: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    done = CliRunner().invoke(main, [*arguments, "--data", str(hub.data)])
    return done.exit_code, done.output


def test_what_the_hub_makes_is_for_its_user_alone(hub: HubProcess) -> None:
    """Films and all else; of the files that stand from the start the modes are looked at elsewhere."""
    assert "Umask:\t0077\n" in Path(f"/proc/{hub.pid}/status").read_text(encoding="ascii")


def test_a_misspelt_board_is_not_accepted_and_the_near_names_are_told(hub: HubProcess) -> None:
    assert outpost(hub, "devices", "accept", "--unseen", "pico-green")[0] == 0
    code, said = outpost(hub, "devices", "accept", "pico-gren")
    assert (code, said.count("\n"), "did you mean pico-green?" in said) == (1, 1, True)
    assert outpost(hub, "devices", "forget", "pico-gren")[0] == 1, "it was accepted all the same"


def test_a_board_that_nothing_is_like_is_told_how_to_be_accepted_before_it_comes(hub: HubProcess) -> None:
    code, said = outpost(hub, "devices", "accept", "zzz")
    assert (code, "--unseen" in said, "did you mean" in said) == (1, True, False)


def test_a_board_that_is_in_already_is_given_a_new_key_without_more_words(hub: HubProcess) -> None:
    assert outpost(hub, "devices", "accept", "--unseen", "shed") == (
        0,
        "shed is accepted; it gets its key as soon as it can keep one\n",
    )
    assert outpost(hub, "devices", "accept", "shed")[0] == 0


@pytest.mark.parametrize(
    ("metrics", "device", "said"),
    [
        (["temperature"], None, ""),
        (["temp*"], "pico", ""),
        ([], None, ""),
        (
            ["temprature"],
            None,
            "no metric 'temprature' is known here, it is waited for; did you mean temperature?",
        ),
        (["temperature"], "shed", "no metric 'temperature' is known here, it is waited for"),
    ],
)
def test_a_metric_that_no_device_has_is_waited_for_with_a_word(
    metrics: list[str], device: str | None, said: str
) -> None:
    known = [
        {"id": "pico", "metrics": [{"name": "temperature"}]},
        {"id": "shed", "metrics": [{"name": "door"}]},
    ]
    assert unheard(metrics, known, device) == said


def test_watching_a_misspelt_device_tells_what_was_meant(hub: HubProcess) -> None:
    code, said = outpost(hub, "watch", "hots")
    assert (code, "did you mean host?" in said) == (1, True)
