"""How samples get into the file: what waits, the one thread that commits it, seals, and makes rollups."""
