"""Lent ports: by whichever path, for a time, ended or prolonged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.links.loans import Loans

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.ms = 0.0

    def __call__(self) -> float:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loans(clock: Clock) -> Loans:
    return Loans(clock)


def test_a_loan_ends_by_itself(loans: Loans, clock: Clock) -> None:
    loans.lend(["/dev/a"], 10)
    clock.ms = 9_999
    assert loans.lent("/dev/a")
    clock.ms = 10_000
    assert not loans.lent("/dev/a")


def test_a_loan_is_ended_early(loans: Loans) -> None:
    loans.lend(["/dev/a"], 10)
    loans.end("/dev/a")
    assert not loans.lent("/dev/a")


def test_other_ports_are_not_lent(loans: Loans) -> None:
    loans.lend(["/dev/a"], 10)
    assert not loans.lent("/dev/b")


def test_a_link_and_what_it_leads_to_are_one_port(loans: Loans, tmp_path: Path) -> None:
    (tmp_path / "tty").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "tty")
    loans.lend([str(tmp_path / "tty")], 10)
    assert loans.lent(str(tmp_path / "by-id"))
    loans.end(str(tmp_path / "by-id"))
    assert not loans.lent(str(tmp_path / "tty"))


def test_a_device_that_comes_back_elsewhere_stays_lent_by_its_link(loans: Loans, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(tmp_path / "first")
    loans.lend([str(tmp_path / "first"), str(link)], 10)
    link.unlink()
    link.symlink_to(tmp_path / "second")
    assert loans.lent(str(link))


def test_a_second_loan_prolongs_the_first_and_one_end_ends_both(loans: Loans, clock: Clock) -> None:
    loans.lend(["/dev/a", "/dev/b"], 10)
    clock.ms = 5_000
    loans.lend(["/dev/a"], 10)
    clock.ms = 14_000
    assert loans.lent("/dev/b")
    loans.end("/dev/b")
    assert not loans.lent("/dev/a")
