"""Commands: one lifecycle for every one, whoever sent it by which way."""

from hub.commands.desired import Desired, DesiredChanged
from hub.commands.errors import (
    AlreadySent,
    BadParams,
    CommandRefused,
    NoSuchCommand,
    QueueFull,
    TooFast,
    UnknownCommand,
)
from hub.commands.intake import MAX_TTL_MS, QUEUE_LIMIT
from hub.commands.jobs import Job, JobReport
from hub.commands.params import check_params
from hub.commands.router import Commands
from hub.commands.wanted import DesiredItem, DesiredView, Wanted, settable

__all__ = [
    "MAX_TTL_MS",
    "QUEUE_LIMIT",
    "AlreadySent",
    "BadParams",
    "CommandRefused",
    "Commands",
    "Desired",
    "DesiredChanged",
    "DesiredItem",
    "DesiredView",
    "Job",
    "JobReport",
    "NoSuchCommand",
    "QueueFull",
    "TooFast",
    "UnknownCommand",
    "Wanted",
    "check_params",
    "settable",
]
