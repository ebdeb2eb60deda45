"""Binance spot as production speaks it: REST, market streams, and the WebSocket API with user data."""
