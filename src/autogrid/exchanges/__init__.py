"""The places a bot can trade at, and where prices come from."""
