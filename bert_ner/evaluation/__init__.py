"""Evaluation of a pipeline: scores, significance, plots, and the report as a page."""
