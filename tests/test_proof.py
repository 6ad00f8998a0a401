"""The board's key: its HMAC, what it takes, and the flash after a cut: the same file, here and on the VM."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from typing import Any

import pytest

from hub.links.door import proof
from tests.vm import needs_vm, run_on_vm

pytestmark = [needs_vm, pytest.mark.slow]

UID, BOOT = "e6614103e7452b2f", "9f3c01aa"
KEY, NONCE = bytes(range(32)).hex(), "00112233445566778899aabbccddeeff"

# RFC 4231, test cases 1, 2, 3: key, data, HMAC-SHA-256.
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
]

NODE = f"""
import json, os, proof
from jobs import Refused
class Session:
    uid, boot_id = {UID!r}, {BOOT!r}
class Uplink:
    cabled = True
class Node:
    session, uplink = Session, Uplink
def ask(what, **params):
    try:
        return getattr(proof, what)(params, Node)
    except Refused as error:
        return str(error)
"""


def on_vm(script: str) -> Any:
    return json.loads(run_on_vm(NODE + script).splitlines()[-1])


def test_the_boards_hmac_is_that_of_the_rfc_and_of_cpython() -> None:
    chance = random.Random(5)
    cases = [(key, text, wanted) for key, text, wanted in RFC_4231]
    for _ in range(40):
        key, text = chance.randbytes(chance.randint(0, 64)), chance.randbytes(chance.randint(0, 300))
        cases.append((key, text, hmac.new(key, text, hashlib.sha256).hexdigest()))
    asked = [(key.hex(), text.hex()) for key, text, _ in cases]
    found = on_vm(f"""
from binascii import hexlify, unhexlify
print(json.dumps([hexlify(proof.mac(unhexlify(k), unhexlify(t))).decode() for k, t in {asked!r}]))
""")
    assert found == [wanted for _, _, wanted in cases]


def test_a_board_proves_the_key_that_it_was_given_and_another_after_the_next() -> None:
    other = KEY[::-1]
    first, given, proved, _, after = on_vm(f"""
print(json.dumps([ask("prove", nonce={NONCE!r}), ask("enrol", key={KEY!r}), ask("prove", nonce={NONCE!r}),
    ask("enrol", key={other!r}), ask("prove", nonce={NONCE!r})]))
""")
    assert (first, given) == ({"proof": None}, {"kept": True})
    assert proved == {"proof": proof(bytes.fromhex(KEY), NONCE, UID, BOOT)}
    assert after == {"proof": proof(bytes.fromhex(other), NONCE, UID, BOOT)}


def test_what_is_no_key_or_nonce_is_refused_in_words_and_changes_nothing() -> None:
    bad = [None, 7, "", KEY[:-1], KEY + "0", KEY.upper(), "z" * 64, [KEY], True]
    found = on_vm(f"""
ask("enrol", key={KEY!r})
said = [[ask("enrol", key=bad), ask("prove", nonce=bad)] for bad in {bad!r}]
print(json.dumps([said, ask("enrol"), ask("prove", nonce={NONCE!r})]))
""")
    for key, nonce in found[0]:
        assert (key, nonce) == ("key must be 64 hex digits", "nonce must be 32 hex digits")
    assert found[1] == "key must be 64 hex digits"
    assert found[2] == {"proof": proof(bytes.fromhex(KEY), NONCE, UID, BOOT)}


def test_a_key_is_not_taken_over_a_broker() -> None:
    found = on_vm(f"""
Uplink.cabled = False
print(json.dumps([ask("enrol", key={KEY!r}), ask("prove", nonce={NONCE!r})]))
""")
    assert found == ["a key is taken over the cable alone", {"proof": None}]


def test_a_file_that_holds_no_key_is_none() -> None:
    found = on_vm(f"""
said = []
for text in ("", "x", {KEY[:40]!r}, {KEY!r} + "00", {KEY!r}[:-1] + chr(10)):
    with open(proof.PATH, "w") as file:
        file.write(text)
    said.append(ask("prove", nonce={NONCE!r}))
print(json.dumps(said))
""")
    assert found == [{"proof": None}] * 5


@pytest.mark.parametrize("before", [None, KEY])
def test_power_cut_at_any_step_of_keeping_a_key_leaves_the_one_before_or_the_new_one(
    before: str | None,
) -> None:
    """The write of the new file is cut after any byte, then before and after its rename."""
    new = hashlib.sha256(b"new").hexdigest()
    found = on_vm(f"""
class Cut(Exception):
    pass
class File:
    def __init__(self, file, left):
        self.file, self.left = file, left
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def write(self, text):
        self.file.write(text[:self.left])
        self.file.flush()
        if self.left < len(text):
            raise Cut()
whole, rename = open, os.rename
def cut(at, step):
    if {before!r}:
        ask("enrol", key={before!r})
    else:
        try:
            os.remove(proof.PATH)
        except OSError:
            pass
    proof.open = lambda path, mode="r": File(whole(path, mode), at) if mode == "w" else whole(path, mode)
    class Os:
        sync = os.sync if hasattr(os, "sync") else None
        def rename(path, to):
            if step == "before":
                raise Cut()
            rename(path, to)
            if step == "after":
                raise Cut()
    if Os.sync is None:
        del Os.sync
    proof.os = Os
    try:
        ask("enrol", key={new!r})
    except Cut:
        pass
    proof.open, proof.os = whole, os
    left = ask("prove", nonce={NONCE!r})["proof"]
    again = ask("enrol", key={KEY!r}), ask("prove", nonce={NONCE!r})["proof"]
    return [left, again]
print(json.dumps([cut(at, "") for at in range(0, 64, 9)] + [cut(64, "before"), cut(64, "after")]))
""")
    of_new = proof(bytes.fromhex(new), NONCE, UID, BOOT)
    of_old = None if before is None else proof(bytes.fromhex(before), NONCE, UID, BOOT)
    assert [left for left, _ in found] == [of_old] * (len(found) - 1) + [of_new]
    for _, again in found:  # and it can be enrolled all the same
        assert again == [{"kept": True}, proof(bytes.fromhex(KEY), NONCE, UID, BOOT)]
