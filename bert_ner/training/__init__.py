"""Trains a pipeline from a recipe and a converted corpus."""
