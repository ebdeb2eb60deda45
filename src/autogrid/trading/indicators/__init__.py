"""Indicators, one a file: each a state and a step."""
