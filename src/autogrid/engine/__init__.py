"""The running of bots: the loop, and what it needs from outside."""
