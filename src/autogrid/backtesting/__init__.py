"""Past prices in, checked; a run over them; its result as text, JSON and a page."""
