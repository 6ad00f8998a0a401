"""What of the store can be set."""

from __future__ import annotations

import msgspec


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often the store commits, how much may wait, and how long samples stay."""

    ack_interval_s: float = 1.0
    """The longest that a reading which waits for an ack waits for its commit to begin."""
    idle_interval_s: float = 10.0
    """The same for all else."""
    read_interval_s: float = 0.25
    """The shortest time between commits that readers ask for, where only a commit tells what is stored."""
    seal_interval_s: float = 900.0
    """How often the hot log is sealed into chunks."""
    seal_samples: int = 262_144
    """As many samples in the hot log are sealed at once (about 100 bytes of memory each)."""
    daily_roll_interval_s: float = 3600.0
    """How often rollups by minute and day are made; those by hour follow each sealing."""
    wal_bytes: int = 4 << 20
    """The size the write-ahead log is given at the start; 0 lets it grow."""
    batch_samples: int = 8192
    """As many waiting samples commit at once; also the most in one transaction."""
    queue_samples: int = 200_000
    """The most samples that wait in memory (about 100 bytes each)."""
    heartbeat_s: float = 5.0
    """An idle writer shows that it lives by an empty commit this often."""
    retry_s: tuple[float, float] = (0.25, 5.0)
    """The first pause after a failed commit, which doubles up to the second."""
    retention_s: int | None = None
    """Age at which samples go, by chunks of a quarter of an hour; None keeps them for ever."""
    expiry_interval_s: float = 600.0
    """How often the writer looks for samples that are too old."""
    expiry_chunks: int = 1000
    """The most chunks deleted in one transaction."""
