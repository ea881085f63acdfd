"""Questions: one folder each."""
