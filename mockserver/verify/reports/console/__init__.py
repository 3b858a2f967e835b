"""The console: what is under way, how it ended, and with `--verbose` the tables of all that was tried."""
