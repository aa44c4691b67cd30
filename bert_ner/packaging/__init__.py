"""From a trained pipeline to a wheel that works alone."""
