"""From a recipe and a corpus to a trained pipeline."""
