"""One identity on one port."""

from __future__ import annotations

from hub.links.boards import CLAIM_MS, Claims


def test_a_second_board_with_the_same_id_is_refused_by_the_name_of_the_first_port() -> None:
    claims = Claims()
    assert claims.claim("b1", "/dev/a", 0) is None
    claims.opened("b1")
    refusal = claims.claim("b1", "/dev/b", 1_000_000)
    assert refusal is not None
    assert "/dev/a" in refusal


def test_a_board_may_say_hello_again_on_its_own_port() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    assert claims.claim("b1", "/dev/a", 1) is None
    assert claims.claim("b1", "/dev/b", 2 * CLAIM_MS) is not None


def test_a_closed_port_gives_its_board_free_at_once() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    claims.release("/dev/a")
    assert claims.claim("b1", "/dev/b", 1) is None


def test_a_claim_that_became_no_session_lapses() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    assert claims.claim("b1", "/dev/b", CLAIM_MS - 1) is not None
    assert claims.claim("b1", "/dev/b", CLAIM_MS) is None


def test_a_hello_renews_a_claim() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.claim("b1", "/dev/a", CLAIM_MS - 1)
    assert claims.claim("b1", "/dev/b", CLAIM_MS) is not None


def test_a_session_that_ended_may_go_on_elsewhere_in_a_moment() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    claims.ended("/dev/a", 10_000)
    assert claims.claim("b1", "/dev/b", 10_001) is not None
    assert claims.claim("b1", "/dev/b", 10_000 + CLAIM_MS) is None


def test_no_board_takes_the_place_of_the_host() -> None:
    assert Claims().claim("host", "/dev/a", 0) is not None
