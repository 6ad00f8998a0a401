"""Cameras: a source, at most one encoder, and a fan-out to WebRTC viewers, MJPEG clients and snapshots."""
