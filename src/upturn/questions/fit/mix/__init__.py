"""Mix: a learned axis, the weighted sum of several."""
