"""Confidence that matches accuracy: fitting, measuring, choosing a threshold."""
