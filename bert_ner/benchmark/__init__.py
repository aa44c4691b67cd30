"""How fast pipelines are, beside what else there is."""
