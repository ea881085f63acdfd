"""The tiling: exact for what is linear in a cell, close for what is not, finer where asked."""

from math import factorial

import numpy as np
import pytest

from upturn.questions.fit.mix.simplex import Simplex

AXES = [2, 3, 4]


def uneven(axes, rounds=6, seed=0):
    """A tiling with cells of many sizes."""
    generator = np.random.default_rng(seed)
    simplex = Simplex.of(axes, bisections=3)
    for _ in range(rounds):
        simplex = simplex.bisected(generator.uniform(size=len(simplex.cells)) < 0.3)
    return simplex


@pytest.mark.parametrize("axes", AXES)
def test_cells_tile_all_weights(axes):
    simplex = uneven(axes)
    assert simplex.volume.sum() == pytest.approx(1)
    assert simplex.quadrature.sum() == pytest.approx(1)
    np.testing.assert_allclose(simplex.vertices.sum(axis=1), 1)
    assert (simplex.vertices >= 0).all()
    assert len(np.unique(simplex.vertices, axis=0)) == len(simplex.vertices)
    corners = simplex.vertices[simplex.cells]
    ratio = abs(np.linalg.det(corners))  # of each cell's volume to that of the whole
    np.testing.assert_allclose(ratio, simplex.volume)


@pytest.mark.parametrize("axes", AXES)
def test_corners_come_first_and_vertices_keep_their_numbers(axes):
    before = Simplex.of(axes, bisections=4)
    np.testing.assert_array_equal(before.vertices[:axes], np.eye(axes))
    after = before.bisected(before.vertices[before.cells][:, :, 0].max(axis=1) > 0.5)
    np.testing.assert_array_equal(after.vertices[: len(before.vertices)], before.vertices)
    assert len(after.vertices) > len(before.vertices)


@pytest.mark.parametrize("axes", AXES)
def test_means_over_the_uniform_distribution(axes):
    """Linear functions exactly; E of a product of weights is 1/(K (K + 1)) (Dirichlet(1))."""
    rough, fine = uneven(axes), Simplex.of(axes, bisections=9)
    np.testing.assert_allclose(rough.quadrature @ rough.vertices, 1 / axes)
    product = fine.vertices[:, 0] * fine.vertices[:, 1]
    assert fine.quadrature @ product == pytest.approx(1 / (axes * (axes + 1)), rel=0.05)


def test_cells_stay_fat():
    """Halving the longest edge of a triangle keeps its smallest angle above half of what it was."""
    simplex = Simplex.of(3, bisections=12)
    corners = simplex.vertices[simplex.cells]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    assert (edges.max(axis=1) / edges.min(axis=1) < 2.1).all()


@pytest.mark.parametrize("axes", AXES)
def test_the_mass_of_a_density(axes):
    """A Dirichlet density's integral over the cells in which the first weight is above a half."""
    simplex = Simplex.of(axes, bisections=10)
    with np.errstate(divide="ignore"):
        log_density = 2 * np.log(simplex.vertices[:, 0])  # Dirichlet(3, 1, …)
    mass = simplex.mass(log_density)
    above = simplex.vertices[simplex.cells][:, :, 0].min(axis=1) >= 0.5
    # P(w1 < x) of Beta(3, K - 1), by its series
    a, b, x = 3, axes - 1, 0.5
    n = a + b - 1
    below = sum(
        factorial(n) / (factorial(j) * factorial(n - j)) * x**j * (1 - x) ** (n - j)
        for j in range(a, n + 1)
    )
    assert mass.sum() == pytest.approx(1)
    assert mass[above].sum() == pytest.approx(1 - below, abs=0.03)
