"""A kit that tests any strategy: begin with `check_strategy` in `autogrid.testing.check`.

It needs nothing but AutoGrid itself, so it serves a strategy of your own as it serves the built-in ones. Each law is a
function of a `Case` (one configuration on one tape) that raises `Broken`; the caller adds where, and how to see it.
"""
