"""Calibrates confidence on dev, measures its reliability, and picks thresholds."""
