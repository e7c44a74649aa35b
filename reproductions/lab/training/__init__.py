"""Training: configuration, steps, checkpoints, distribution."""
