"""What a bot is and decides: pure, the same in backtest, paper and live. Money is Decimal."""
