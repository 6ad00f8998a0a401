"""The command line: `outpost`. Exit codes: 0 done, 1 failed, 2 bad usage or configuration."""

from hub.cli.main import main

__all__ = ["main"]
