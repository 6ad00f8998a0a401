"""What would go is shown before it goes: by metric, by rule and by size."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from hub.cli.main import main
from hub.config import parse
from hub.model import Reading, Role
from hub.store.lifetime import shedding
from hub.store.lifetime.expiry import Expiry
from hub.store.lifetime.forecast import Forecast, MetricForecast, forecast
from hub.store.lifetime.policy import Policy
from hub.store.writing.intake import Batch
from tests.sample_file import DAY, HOUR, START, SampleFile
from tests.web_hub import web_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = START + 20 * DAY


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SampleFile]:
    """A file of ten days of two metrics in the same readings, and of one day of another device."""
    found = SampleFile(tmp_path)
    readings = [
        Reading(
            device="d", metrics=("slow", "fast"), values=(1, at % 977 / 7), source_time_ms=at, hub_time_ms=at
        )
        for at in range(NOW - 10 * DAY, NOW, HOUR)
    ]
    written = found.committer.commit(Batch(readings, []), found.recent)
    assert written.hot is not None
    found.recent.append(written.hot, written.shapes)
    found.put([(NOW - 9 * DAY, 1)], device="e", metric="other")
    found.seal()
    found.roll(NOW)
    yield found
    found.committer.close()


def policy(text: str) -> Policy:
    config = parse(text, "outpost.toml")
    return Policy(config.retention, config.tags)


def foretold(file: SampleFile, rules: Policy, now_ms: int = NOW) -> Forecast:
    return file.committer.work(lambda connection: forecast(connection, rules, now_ms, wal_bytes=0))


def of(found: Forecast, device: str, metric: str) -> MetricForecast:
    return next(one for one in found.items if (one.device, one.metric) == (device, metric))


def test_each_metric_has_its_samples_bytes_and_first_day(file: SampleFile) -> None:
    found = foretold(file, policy('[tags]\nd = ["lab"]'))
    assert [(one.device, one.metric) for one in found.items] == [("d", "fast"), ("d", "slow"), ("e", "other")]
    assert [one.samples for one in found.items] == [240, 240, 1]
    assert [one.oldest for one in found.items] == [NOW - 10 * DAY, NOW - 10 * DAY, NOW - 9 * DAY]
    assert of(found, "d", "fast").bytes > of(found, "d", "slow").bytes > 0
    assert of(found, "d", "fast").tags == ["lab"]


def test_what_goes_now_is_what_then_goes(file: SampleFile) -> None:
    rules = policy('[retention]\nraw = "30d"\n[[retention.rule]]\nmetric = "fast"\nraw = "4d"')
    found = foretold(file, rules)
    assert of(found, "d", "fast").now.samples == 6 * 24
    assert of(found, "d", "slow").now.samples == 0
    expiry = Expiry(rules)
    while file.committer.work(lambda connection: expiry.step(connection, NOW, 1000)).more:
        pass
    after = foretold(file, rules)
    assert of(after, "d", "fast").samples == 4 * 24
    assert of(after, "d", "fast").now.samples == 0
    assert of(after, "d", "slow").samples == 240


def test_within_a_week_goes_what_seven_days_make_too_old(file: SampleFile) -> None:
    found = foretold(file, policy('[retention]\nraw = "8d"'))
    assert of(found, "d", "slow").now.samples == 2 * 24
    assert of(found, "d", "slow").week.samples == 9 * 24


def test_a_size_takes_the_oldest_first(file: SampleFile) -> None:
    used = file.committer.work(shedding.room).used_bytes
    rules = policy('[retention]\nraw = "forever"')
    rules.size_bytes = used - 3000
    found = foretold(file, rules)
    assert found.over_bytes == 3000
    gone = sum(one.now.bytes for one in found.items)
    assert gone == pytest.approx(3000, abs=len(found.items) * 10)
    assert of(found, "d", "slow").now.samples < 240


def test_the_rollups_of_each_width_are_told(file: SampleFile) -> None:
    found = foretold(file, policy(""))
    assert [one.tier for one in found.tiers] == ["10s", "1m", "1h", "1d"]
    assert found.tiers[0].bytes == 0
    assert found.tiers[1].bytes > found.tiers[3].bytes > 0


def test_an_empty_store_foretells_nothing(tmp_path: Path) -> None:
    file = SampleFile(tmp_path / "new")
    assert foretold(file, policy("")).items == []
    file.committer.close()


def test_the_command_tries_the_rules_of_a_file(file: SampleFile, tmp_path: Path) -> None:
    rules = tmp_path / "new.toml"
    rules.write_text('[retention]\nraw = "1d"\n10s = "30d"\nsize = "1GB"\n', encoding="utf-8")
    arguments = ["retention", "--config", str(rules), "--data", str(file.file.parent)]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.output.splitlines()]
    (fast,) = (row for row in rows if row[:2] == ["d", "fast"])
    assert fast[2:7] == ["raw", "1d,", "10s", "30d", "240"]
    assert f"{datetime.fromtimestamp((NOW - 10 * DAY) / 1000, UTC):%Y-%m-%d}" in fast, "from which day on"
    assert "It may take 1.0 GB" in shown.output
    as_json = CliRunner().invoke(main, [*arguments, "--json"])
    assert len(msgspec.json.decode(as_json.output)["items"]) == 3


async def test_the_api_says_what_goes_and_how_letting_go_stands(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        answer = await hub.get("/api/v1/retention", role=Role.VIEWER)
        content: dict[str, Any] = answer.json()
    assert answer.status == 200
    assert (content["hold"], content["grace_until"], content["items"]) == (None, None, [])
    assert [one["tier"] for one in content["tiers"]] == ["10s", "1m", "1h", "1d"]


async def test_who_asks_again_within_a_minute_costs_no_other_look_at_the_file(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        first, second = await asyncio.gather(hub.parts.store.forecast(), hub.parts.store.forecast())
    assert first is second
