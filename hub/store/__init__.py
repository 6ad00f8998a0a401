"""The store: samples, births, commands and accounts in one SQLite file; nothing acked is lost."""
