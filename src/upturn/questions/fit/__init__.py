"""fit: a model to every curve of a table."""
