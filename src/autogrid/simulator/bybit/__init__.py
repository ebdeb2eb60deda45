"""Bybit's v5 protocol for spot, REST and WebSocket, over the simulated world."""
