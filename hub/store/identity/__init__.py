"""Who is known: users, tokens, sessions, boards and their keys, and the security log."""
