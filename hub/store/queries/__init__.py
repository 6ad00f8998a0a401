"""How questions are answered: read-only connections, a budget each, and the right tier."""
