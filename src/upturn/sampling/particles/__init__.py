"""Particles: points, weights, thinning, chains and their diagnostics."""
