"""The command line: it translates, and no rule lives here."""
