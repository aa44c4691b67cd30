"""What the project knows about corpora and their formats."""
