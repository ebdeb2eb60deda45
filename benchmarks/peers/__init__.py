"""The same grid job written for other backtesters; each file runs in its own environment (see
`environments.py`)."""
