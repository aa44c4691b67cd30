"""Packages a trained pipeline as a wheel that does not need this project."""
