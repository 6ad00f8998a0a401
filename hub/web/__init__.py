"""The outside over HTTP: routes and rights, SSE, WebSocket, WHEP, and the built dashboard."""
