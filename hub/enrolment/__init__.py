"""Enrolment: which boards the hub lets in, and how it knows them again (docs/security.md)."""

from hub.enrolment.enrolment import AlreadyAccepted, Enrolment, NotEnrolled
from hub.enrolment.views import BoardStanding, EnrolmentView

__all__ = ["AlreadyAccepted", "BoardStanding", "Enrolment", "EnrolmentView", "NotEnrolled"]
