"""How samples lie in the file: hot log, chunks, columns, rollup rows, numbers for names."""
