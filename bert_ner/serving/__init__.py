"""The service: an application, and what gathers texts into batches."""
