"""Measured comparisons: the grid job of AutoGrid and of other backtesters, in one run on one machine."""
