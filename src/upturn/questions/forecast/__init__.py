"""forecast: what small models say of large ones."""
