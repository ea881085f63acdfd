"""The population sampler: adaptive importance sampling of all curves at once."""
