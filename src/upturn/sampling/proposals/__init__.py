"""Proposals: mixtures fitted to weighted particles."""
