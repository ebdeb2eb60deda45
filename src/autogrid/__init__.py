"""AutoGrid: a grid and DCA trading bot, self-hosted, that backtests, paper-trades and recovers with one code."""

__version__ = "0.1.0"
