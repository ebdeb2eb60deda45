"""How the tables came to be, one small change after the other."""
