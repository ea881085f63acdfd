"""Likelihoods, one file each, and a registry of them."""
