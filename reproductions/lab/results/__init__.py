"""Records of runs and trials, saved predictions, and their statistics."""
