"""Evaluation by the papers' protocols."""
