"""What a report and an audit are made of: scores, plots, pages."""
