"""One file a strategy, and what a strategy is."""
