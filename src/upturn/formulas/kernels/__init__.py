"""Likelihoods of whole curves in one compiled loop."""
