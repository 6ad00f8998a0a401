"""WebRTC: what is packetized once for all, and what each viewer needs for itself."""
