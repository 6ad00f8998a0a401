"""The hub's own counters, in one registry that a hub owns ("metric" stays the devices' word)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector


class Health:
    """Every counter of one hub process. Rooms are handed this object and count on it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"outpost_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"outpost_{name}", text, labels, registry=self.registry)

        self.samples = counter("samples", "Samples taken in from links", "link")
        self.readings_refused = counter(
            "readings_refused", "Readings refused on the way in", "link", "reason"
        )
        self.committed = counter(
            "samples_committed", "Samples committed to the store, with the links' own figures"
        )
        self.duplicates = counter("readings_duplicate", "Readings that came again and were not stored twice")
        self.commit_s = Histogram(
            "outpost_commit_seconds",
            "Duration of a group commit",
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )
        self.store_queue = gauge("store_queue_readings", "Readings that wait for a commit")
        self.store_refused = counter(
            "store_readings_refused",
            "Readings not stored: malformed, full (the board sends them again), lost (nobody does)",
            "reason",
        )
        self.store_suppressed = gauge(
            "store_suppressed_samples", "Samples that deadbands and least intervals kept from the store"
        )
        self.store_deleted = gauge("store_deleted_rows", "Chunks and rollup rows that retention deleted")
        self.store_rewritten = gauge(
            "store_rewritten_bytes", "Bytes of rows that retention wrote again with less in them"
        )
        self.store_degraded = gauge("store_degraded", "1 while the store cannot commit")
        self.store_damaged = counter("store_damaged_files", "Damaged files set aside and replaced")
        self.store_sealed = counter("store_sealed_samples", "Samples compressed into chunks")
        self.store_sealed_bytes = counter("store_sealed_bytes", "Bytes of the chunks they went to")
        self.store_file_bytes = gauge("store_file_bytes", "Size of the store's file and its WAL")
        self.store_device_bytes = gauge(
            "store_device_bytes", "Size of a device's sealed samples in the store's file", "device"
        )
        self.store_device_samples = gauge(
            "store_device_samples", "Sealed samples of a device in the store's file", "device"
        )
        self.written_bytes = gauge("written_bytes", "Bytes that the hub's process handed to disks")
        self.devices_online = gauge("devices_online", "Devices with an open session")
        self.boards_waiting = gauge("boards_waiting", "Boards that wait to be accepted")
        self.boards_refused = counter("boards_refused", "Sessions of boards that did not prove their key")
        self.link_figure = gauge("link", "A figure of a device's link", "device", "figure")
        self.subscribers = gauge("stream_subscribers", "Open live streams")
        self.long_polls = gauge("long_polls", "Requests for the last samples that wait for news")
        self.stream_dropped = counter("stream_dropped_samples", "Samples dropped for slow subscribers")
        self.commands = counter("commands", "Commands by final state", "state")
        self.alerts = counter("alerts", "Alerts that were raised", "severity")
        self.alerts_active = gauge("alerts_active", "Alerts that are not cleared")
        self.alert_actions = counter(
            "alert_actions", "Actions of rules by what became of them", "kind", "outcome"
        )
        self.viewers = gauge("camera_viewers", "WebRTC viewers", "camera")
        self.encoders = gauge("camera_encoders", "Running encoders", "camera")
        self.refusals = counter("refusals", "Requests refused by rights, Host or Origin", "reason")
