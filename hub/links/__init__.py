"""How the hub reaches devices: serial, MQTT, and the host itself."""
