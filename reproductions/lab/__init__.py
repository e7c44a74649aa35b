"""The machinery: from a paper's recipe to a run's record. Nothing here knows a paper."""
