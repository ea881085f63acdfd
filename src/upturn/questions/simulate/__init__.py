"""simulate: tables with a known truth."""
