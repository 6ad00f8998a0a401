"""What of the store can be set."""

from __future__ import annotations

import msgspec

from hub.store.lifetime.policy import Policy


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
    """As many waiting samples commit at once; in one transaction go at most eight times as many."""
    queue_samples: int = 200_000
    """The most samples that wait in memory (about 100 bytes each)."""
    heartbeat_s: float = 5.0
    """An idle writer shows that it lives by an empty commit this often."""
    retry_s: tuple[float, float] = (0.25, 5.0)
    """The first pause after a failed commit, which doubles up to the second."""
    policy: Policy = Policy()
    """How long what stays, and which samples are stored; here all, for ever."""
    expiry_interval_s: float = 600.0
    """How often the writer looks for what is too old, or too much."""
    expiry_chunks: int = 1000
    """The most rows deleted in one transaction."""
    expiry_rewrite_bytes: int = 4 << 20
    """About as much is written again each time, of rows of which a part goes: after a change of the rules,
    history is gone over by and by."""
    grace_s: float = 3600.0
    """How long rules that have changed wait before they act, for people to see what would go."""
