"""Grid: buy at each line below the price, sell what was bought one line higher."""
