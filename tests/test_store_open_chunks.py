"""What stays open between questions is what the file holds, and no more than it may be."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hub.model import Role
from hub.store.folder import StoreError
from hub.store.format import chunk
from hub.store.identity.accounts import Accounts
from hub.store.queries.chunks import Open

if TYPE_CHECKING:
    from pathlib import Path


def data(value: float, rows: int = 100) -> bytes:
    return chunk.encode([chunk.Group(1, np.arange(rows, dtype=np.int64), None, [[value] * rows])])


def test_a_chunk_that_has_not_changed_is_decoded_once() -> None:
    lately = Open()
    first = lately.get(7, data(1.0)).pieces({1: 0})[0]
    assert lately.get(7, data(1.0)).pieces({1: 0})[0].column is first.column


def test_a_chunk_that_changed_is_read_anew() -> None:
    lately = Open()
    lately.get(7, data(1.0)).pieces({1: 0})
    assert lately.get(7, data(2.0)).pieces({1: 0})[0].column.values() == [2.0] * 100


def test_chunks_that_were_not_asked_for_the_longest_are_closed() -> None:
    lately = Open(2 * chunk.Opened(data(1.0)).cost)
    kept, closed = lately.get(1, data(1.0)), lately.get(2, data(1.0))
    lately.get(1, data(1.0))
    lately.get(3, data(1.0))
    assert lately.get(1, data(1.0)) is kept
    assert lately.get(2, data(1.0)) is not closed


def test_a_token_is_looked_for_in_the_file_that_stands_there_now(tmp_path: Path) -> None:
    before, other = Accounts.open(tmp_path / "a"), Accounts.open(tmp_path / "b")
    old = before.tokens.create("old", Role.VIEWER, 0)
    new = other.tokens.create("new", Role.VIEWER, 0)
    assert before.tokens.identity(old, 0) is not None
    other.close()
    for name in ("outpost.db", "outpost.db-wal", "outpost.db-shm"):
        with contextlib.suppress(FileNotFoundError):
            (tmp_path / "a" / name).unlink()
    (tmp_path / "b" / "outpost.db").replace(tmp_path / "a" / "outpost.db")
    assert before.tokens.identity(old, 0) is None
    assert before.tokens.identity(new, 0) is not None
    before.close()


def test_what_other_programs_change_is_known_with_the_next_request(tmp_path: Path) -> None:
    hub, program = Accounts.open(tmp_path), Accounts(tmp_path / "outpost.db")
    first = program.tokens.create("first", Role.VIEWER, 0)
    # Its first use is noted, which must not keep the next from being seen.
    assert hub.tokens.identity(first, 0) is not None
    second = program.tokens.create("second", Role.VIEWER, 0)
    assert hub.tokens.identity(second, 0) is not None
    program.tokens.revoke("first", 0)
    assert hub.tokens.identity(first, 0) is None
    assert [known.last_used_time for known in hub.tokens.all()] == [0]
    hub.close()


def test_a_token_of_a_file_that_went_is_an_error_of_the_store(tmp_path: Path) -> None:
    accounts = Accounts.open(tmp_path)
    token = accounts.tokens.create("t", Role.VIEWER, 0)
    assert accounts.tokens.identity(token, 0) is not None
    (tmp_path / "outpost.db").unlink()
    with pytest.raises(StoreError, match=r"outpost\.db"):
        accounts.tokens.identity(token, 0)
