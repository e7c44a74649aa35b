"""Figures of the pages, drawn by matplotlib from numbers that are kept beside the drawing."""
