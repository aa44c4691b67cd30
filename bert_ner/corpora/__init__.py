"""Corpora, their formats, and the conversion to spaCy's format."""
