"""What stays open: the stream of events, and the socket that takes commands."""
