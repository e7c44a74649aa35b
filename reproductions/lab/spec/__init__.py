"""Declarative specification of a paper: networks, recipes, schedules, search spaces, test protocols."""
