"""The commands of the project: `python -m scripts.<command> --help`."""
