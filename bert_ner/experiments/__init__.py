"""Measurements that train several pipelines: ablations, cross-validation, audits."""
