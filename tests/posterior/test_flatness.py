"""Flat stretches against the definition, written out in plain Python."""

import numpy as np
import pytest

from upturn.posterior.flatness import flat_starts


def plain(heights, until, *, chance, near, rise):
    """The first scale of one draw from which it is flat near chance and then rises."""
    reference = heights[0] if np.isnan(chance) else chance
    for first, last in enumerate(until):
        if abs(heights[first] - reference) > near:
            return -1
        later = heights[-1] - heights[first]
        stretch = heights[first : last + 1]
        flat = last >= 0 and max(stretch) <= heights[first] + 0.1 * later
        if flat and later >= rise:
            return first
    return -1


def starts(heights, until, **rules):
    """The same of the package: heights (scale, draw) of one curve."""
    given = {name: np.array([float(value)]) for name, value in rules.items()}
    count, places = np.array([len(heights)]), np.array([until])
    return flat_starts(np.ascontiguousarray(heights[None]), count, places, **given)[0].tolist()


@pytest.mark.parametrize("chance", [0.1, np.nan])
def test_the_definition(chance):
    """2,000 curves of eight scales, some of which are flat from a later scale on."""
    rng = np.random.default_rng(0)
    steps = rng.normal(0.03, 0.05, (8, 2000)) * (rng.random((8, 2000)) < 0.4)
    heights = 0.1 + np.cumsum(steps, axis=0) + 0.5 * np.linspace(0, 1, 8)[:, None] ** 8
    until = [2, 4, 5, 5, 7, -1, -1, -1]
    rules = {"chance": chance, "near": 0.15, "rise": 0.1}
    found = starts(heights, until, **rules)
    assert found == [plain(draw, until, **rules) for draw in heights.T]
    assert len(set(found)) > 3


def test_a_first_scale_below_the_flat_stretch_does_not_hide_it():
    heights = np.array([0.0, 0.08, 0.08, 0.08, 0.9])[:, None]
    rules = {"chance": 0.0, "near": 0.1, "rise": 0.1}
    assert starts(heights, [2, 3, -1, -1, -1], **rules) == [0]
    higher = np.array([0.0, 0.12, 0.12, 0.12, 0.9])[:, None]
    assert starts(higher, [2, 3, -1, -1, -1], **rules) == [-1]
    steeper = np.array([0.0, 0.09, 0.09, 0.09, 0.5])[:, None]
    assert starts(steeper, [2, 3, -1, -1, -1], **rules) == [1]


def test_padding_is_not_looked_at():
    heights = np.array([[[0.0], [0.0], [0.5], [99.0]]])
    given = {k: np.array([v]) for k, v in {"chance": 0.0, "near": 0.1, "rise": 0.6}.items()}
    found = flat_starts(heights, np.array([3]), np.array([[1, -1, -1, -1]]), **given)
    assert found.tolist() == [[-1]]
