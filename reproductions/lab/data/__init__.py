"""Data sets, transforms and input pipelines."""
