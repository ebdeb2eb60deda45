"""How secrets are kept: sealed for the engine, opened by it alone, and never shown."""
