"""The wire on a serial link: frames, messages, sessions and clocks, without I/O.

The same files run on CPython (`hub.wire.x`) and on MicroPython (`/wire` on a board: it needs frame, message,
fragments and board_session), so they import only what MicroPython has, and time is an argument.
docs/protocol.md is the specification.
"""
