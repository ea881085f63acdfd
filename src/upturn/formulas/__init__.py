"""Formulas: segments, priors and likelihoods as functions of arrays."""
