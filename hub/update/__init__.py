"""Brings the firmware of boards up to date over the link: what there is, for which boards, and the work."""
