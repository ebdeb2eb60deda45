"""A server that speaks Binance's, Bybit's and MEXC's wire protocols over a simulated market, with faults on demand."""
