"""The library behind the commands in `scripts/`."""
