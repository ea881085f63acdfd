"""fit: fits a model to every curve of a table."""
