"""The paper again: Wei et al. 2022, each figure and table that bundled data reach."""
