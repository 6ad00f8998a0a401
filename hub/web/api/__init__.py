"""The resources under /api/v1, a module each, and the shapes of their answers."""
