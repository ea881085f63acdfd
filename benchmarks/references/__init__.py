"""References: posteriors known by other means."""
