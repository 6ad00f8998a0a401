"""Pictures of cameras over HTTP: WebRTC by WHEP, and what stands in where it cannot be had."""
