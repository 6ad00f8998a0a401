"""Users and access rules of the broker, on a real Mosquitto: a device speaks only for itself."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.cli.main import main
from hub.config import MqttConfig
from hub.links.mqtt import MqttLink
from hub.links.mqtt_users import (
    BadMqttUser,
    Files,
    MqttUser,
    hashed,
    users_in,
    with_password,
    with_users,
)
from tests.broker import Broker, binary
from tests.fakes import until
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = "shed-a", "shed-b"


class Peer:
    """A client of the broker, by paho: what it is told, and whether it was let in.

    Some versions of Mosquitto cut whoever publishes what it may not, others drop the message alone.
    """

    def __init__(self, broker: Broker, user: tuple[str, str] | None) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.state = ""
        self._subscribed: set[int] = set()
        client = self._client = Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            client.username_pw_set(*user)
        client.on_connect = lambda _c, _d, _f, code, _p: self._turned("refused" if code.is_failure else "in")
        client.on_disconnect = lambda _c, _d, _f, _code, _p: self._turned(
            "out" if self.state == "in" else self.state
        )
        client.on_message = lambda _c, _d, message: self.heard.append((message.topic, bytes(message.payload)))
        client.on_subscribe = lambda _c, _d, mid, _codes, _p: self._subscribed.add(mid)
        client.connect(broker.host, broker.port)
        client.loop_start()

    def _turned(self, state: str) -> None:
        self.state = state

    async def let_in(self) -> bool:
        await until(lambda: self.state in ("in", "refused"))
        return self.state == "in"

    async def listen(self, *topics: str) -> None:
        for topic in topics:
            _, mid = self._client.subscribe(topic, 1)
            assert mid is not None
            await until(partial(self._subscribed.__contains__, mid))

    async def forge(self, topic: str, own: str) -> None:
        """Publish what the broker must not take, until it has had its say."""
        assert await self.let_in()
        self._client.publish(topic, "forged", qos=0)
        after = self._client.publish(own, "1", qos=1)
        await until(lambda: self.state == "out" or (after.rc == 0 and after.is_published()))

    async def say(self, topic: str, payload: str) -> None:
        info = self._client.publish(topic, payload, qos=1)
        await until(info.is_published)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


async def closed(*peers: Peer) -> None:
    """Close them, side by side: paho takes its time."""
    await asyncio.gather(*(asyncio.to_thread(peer.close) for peer in peers))


class Field:
    """A broker with users made by `outpost mqtt`, and the passwords that it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "users"
        self.passwords = {name: self.run("user", "add", name) for name in (A, B)}
        self.passwords["outpost"] = self.run("user", "add", "outpost", "--hub")
        lines = self.run("rules").splitlines()
        self.broker = Broker(folder, more=tuple(lines))

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, ["mqtt", *arguments, "--folder", str(self.folder)])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def peer(self, name: str) -> Peer:
        return Peer(self.broker, (name, self.passwords[name]))


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    made = Field(tmp_path)
    with made.broker:
        yield made


async def test_a_device_publishes_as_itself(field: Field) -> None:
    hub, device = field.peer("outpost"), field.peer(A)
    assert await hub.let_in()
    assert await device.let_in()
    await hub.listen("#")
    own = [f"outpost/{A}/t", f"outpost/{A}", f"outpost/{A}/status", f"outpost/board/{A}/up"]
    for topic in own:
        await device.say(topic, "1")
    await until(lambda: len(hub.heard) >= len(own))
    assert sorted(hub.heard) == sorted((topic, b"1") for topic in own)
    await closed(hub, device)


async def test_a_device_publishes_as_nobody_else(field: Field) -> None:
    hub, device = field.peer("outpost"), field.peer(A)
    assert await hub.let_in()
    await hub.listen("#")
    foreign = [f"outpost/{B}", f"outpost/{B}/t", f"outpost/{B}/status", "outpost/new/t", "other"]
    foreign += [f"outpost/board/{B}/up", f"outpost/board/{B}/status", f"outpost/board/{A}/down"]
    forgers = [field.peer(A) for _ in foreign]
    await asyncio.gather(
        *(forger.forge(topic, f"outpost/{A}/t") for forger, topic in zip(forgers, foreign, strict=True))
    )
    assert await device.let_in()
    await device.say(f"outpost/{A}/end", "1")
    await until(lambda: (f"outpost/{A}/end", b"1") in hub.heard)
    assert b"forged" not in {payload for _, payload in hub.heard}
    await closed(hub, device, *forgers)


async def test_a_board_reads_what_the_hub_says_to_it_and_nothing_else(field: Field) -> None:
    hub, device = field.peer("outpost"), field.peer(A)
    assert await hub.let_in()
    assert await device.let_in()
    await device.listen("#", "outpost/#", f"outpost/board/{B}/down", f"outpost/board/{A}/down")
    for topic in (f"outpost/board/{B}/down", f"outpost/board/{B}/up", f"outpost/{B}/t"):
        await hub.say(topic, "to another")
    await hub.say(f"outpost/board/{A}/down", "to a")
    await until(lambda: device.heard)
    assert {topic for topic, _ in device.heard} == {f"outpost/board/{A}/down"}
    await closed(hub, device)


async def test_who_has_no_password_of_the_file_is_refused(field: Field) -> None:
    peers = [Peer(field.broker, user) for user in (None, (A, "wrong"), (A, ""), ("nobody", "x"))]
    assert [await peer.let_in() for peer in peers] == [False] * len(peers)
    await closed(*peers)


async def test_the_hub_itself_works_with_its_user(field: Field, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(field.passwords["outpost"] + "\n")
    config = MqttConfig(
        host=field.broker.host, port=field.broker.port, username="outpost", password_file=str(secret)
    )
    watch, device = Watch(), field.peer(A)
    running = asyncio.create_task(MqttLink(config, now_ms=lambda: 1_763_700_000_000).run(watch))
    assert await device.let_in()
    while not watch.readings:
        await device.say(f"outpost/{A}/t", "21.5")
        await asyncio.sleep(0.02)
    assert (watch.readings[0].device, watch.readings[0].values) == (A, (21.5,))
    device.close()
    running.cancel()
    await asyncio.wait([running])


async def test_a_user_is_added_and_removed_while_the_broker_runs(field: Field) -> None:
    stays, goes = field.peer(A), field.peer(B)
    assert await stays.let_in()
    assert await goes.let_in()
    field.passwords["late"] = field.run("user", "add", "late")
    field.run("user", "remove", B)
    field.broker.reload()
    await until(lambda: goes.state == "out")
    late = field.peer("late")
    assert await late.let_in()
    assert stays.state == "in"
    await closed(stays, goes, late)


# --- the files ----------------------------------------------------------------------------------------


def test_a_hash_is_the_one_that_mosquitto_makes(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("")
    made = subprocess.run([binary("mosquitto_passwd"), "-b", str(file), "a", "secret"], check=False)
    assert made.returncode == 0
    name, _, rest = file.read_text().strip().partition(":")
    kind, iterations, salt, digest = rest[1:].split("$")
    ours = hashed("x").split("$")
    assert (name, kind) == ("a", ours[1])
    assert int(iterations) <= int(ours[2])
    assert (len(salt), len(digest)) == (len(ours[3]), len(ours[4]))


def test_the_files_are_for_their_owner_alone_and_hold_no_password(tmp_path: Path) -> None:
    files = Files(tmp_path / "deep" / "users", "outpost")
    password = files.add(MqttUser(A))
    assert len(password) == 32
    for path in (files.passwords, files.rules):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert password not in path.read_text()
    assert len(list(files.rules.parent.iterdir())) == 2


def test_what_others_wrote_into_the_files_stays(tmp_path: Path) -> None:
    files = Files(tmp_path, "outpost")
    files.passwords.write_text("zigbee:$7$101$a$b\n")
    files.rules.write_text("user zigbee\ntopic readwrite zigbee2mqtt/#\n")
    first = files.add(MqttUser(A))
    assert files.add(MqttUser(A)) != first
    files.add(MqttUser("outpost", hub=True))
    assert files.users() == [MqttUser("outpost", hub=True), MqttUser(A)]
    files.remove("outpost")
    files.remove(A)
    assert files.passwords.read_text() == "zigbee:$7$101$a$b\n"
    assert files.rules.read_text().startswith("user zigbee\ntopic readwrite zigbee2mqtt/#\n\n# Made by")
    assert files.users() == []
    with pytest.raises(BadMqttUser, match="zigbee"):
        files.add(MqttUser("zigbee"))
    with pytest.raises(BadMqttUser, match="zigbee"):
        files.remove("zigbee")


@pytest.mark.parametrize("name", ["", "a:b", "+", "a#", "a/b", "a b", "-a", "x" * 65, "ä", "a\nuser b", "%u"])
def test_a_name_that_could_mean_more_than_one_device_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadMqttUser, match="cannot be a user"):
        Files(tmp_path, "outpost").add(MqttUser(name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("topic", ["", "a/#", "+", "a\nb"])
def test_a_topic_that_is_none_is_refused(tmp_path: Path, topic: str) -> None:
    with pytest.raises(BadMqttUser, match="no topic"):
        Files(tmp_path, topic)


names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@settings(max_examples=50)
@given(st.dictionaries(names, st.booleans(), max_size=8), st.text(max_size=60))
def test_rules_tell_whose_they_are(users: dict[str, bool], before: str) -> None:
    made = [MqttUser(name, hub) for name, hub in users.items()]
    assert sorted(users_in(with_users(before, made, "outpost"))) == sorted(made)


@given(names, st.lists(names.map(lambda name: f"{name}:$7$1$a$b"), max_size=5))
def test_a_user_has_one_password(name: str, lines: list[str]) -> None:
    text = with_password("".join(f"{line}\n" for line in lines), name, "new")
    assert [line for line in text.splitlines() if line.startswith(f"{name}:")] == [f"{name}:new"]
    assert with_password(text, name, None).count("\n") == sum(
        not line.startswith(f"{name}:") for line in lines
    )


def test_without_the_right_the_command_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = CliRunner().invoke(main, ["mqtt", "user", "add", A, "--folder", str(blocked / "x")])
    assert (done.exit_code, "--folder" in done.output) == (1, True)
    listed = CliRunner().invoke(main, ["mqtt", "user", "list", "--folder", str(tmp_path / "none")])
    assert (listed.exit_code, "no users yet" in listed.output) == (0, True)
