"""Strategies that decide on closed candles or on alerts: PPP Vishva, SMA cross, RSI, signal."""
