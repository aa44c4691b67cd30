"""What a report is made of: pure functions on gold and predicted mentions."""
