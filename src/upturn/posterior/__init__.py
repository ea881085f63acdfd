"""Posterior: what draws say of a curve, averaged, scored and saved."""
