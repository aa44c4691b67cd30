"""Speed compared with other systems, soak tests and load tests."""
