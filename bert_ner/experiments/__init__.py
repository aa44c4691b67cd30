"""Experiments that train several pipelines: ablation, cross-validation, audit."""
