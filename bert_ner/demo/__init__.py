"""The page to try a pipeline on: what it shows, and what it is made of."""
