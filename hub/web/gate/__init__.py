"""Who may come in: hosts and origins, callers and their roles, sessions, tries, and the security log."""
