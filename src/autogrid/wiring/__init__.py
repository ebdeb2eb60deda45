"""The only place where ports meet adapters, and where modes are known: what is wired here runs one loop.

In files of their own, since a database or an exchange's library takes seconds to load and a backtest needs neither.
"""
