"""`autogrid demo`: a paper grid that one can watch."""
