"""Coordinates on a mix of axes."""

import numpy as np
import pytest

import upturn
from tests.support.mixes import MIX, curves_of, table
from upturn.questions.fit.mix import coordinates
from upturn.questions.fit.mix import weights as weights_module
from upturn.tables.axis import Axis


def test_corners_are_the_single_axes():
    frame = table()
    copies = coordinates.along(curves_of(frame), np.eye(2))
    for i, axis in enumerate(["params", "tokens"]):
        alone = upturn.read(frame).curves(axis)
        for name in alone.name:
            own = copies.take([i * 2 + alone.name.tolist().index(name)])
            one = alone.take([alone.name.tolist().index(name)])
            order = np.argsort(own.u[0, 0], kind="stable")
            np.testing.assert_allclose(own.u[0, 0, order], one.u[0, 0])
            np.testing.assert_array_equal(own.response[0, order], one.response[0])


def test_every_curve_spans_the_unit_axis_at_every_weight():
    frame = table(curves=3, points=9)
    frame = frame[(frame["task"] != "t1") | (frame["params"] > frame["params"].median())]
    curves = curves_of(frame)
    copies = coordinates.along(curves, np.array([[0.2, 0.8], [0.5, 0.5]]))
    u = np.where(copies.mask, copies.u[0], np.nan)
    np.testing.assert_allclose(np.nanmin(u, axis=1), 0)
    np.testing.assert_allclose(np.nanmax(u, axis=1), 1)
    weighted = 0.2 * curves.u[0] + 0.8 * curves.u[1]
    np.testing.assert_allclose(copies.x[0, :3][curves.mask], weighted[curves.mask])
    assert (curves.limits == curves.limits[:, :, :1]).all()


def test_copies_have_random_numbers_of_their_own():
    copies = coordinates.along(curves_of(table()), np.array([[0.25, 0.75], [0.5, 0.5]]))
    assert copies.labels["weights"].tolist() == ["0.25,0.75"] * 2 + ["0.5,0.5"] * 2


def test_equal_products_of_native_powers_have_equal_u():
    axis, limits = Axis.parse(MIX), np.array([[8.0, 9.0], [11.0, 10.0]])
    weights = np.array([0.4, 0.6])
    a, b = weights_module.exponents(weights, axis, limits)
    assert a + b == pytest.approx(1)
    params, tokens = np.array([1e9, 1e10]), np.array([1e10, 1e10 * 10 ** (-a / b)])
    np.testing.assert_allclose(params[0] ** a * tokens[0] ** b, params[1] ** a * tokens[1] ** b)
    x = np.log10([params, tokens])
    u = weights @ ((x - limits[0][:, None]) / (limits[1] - limits[0])[:, None])
    assert u[0] == pytest.approx(u[1])


def test_axes_that_are_not_logarithmic_have_no_exponents():
    found = weights_module.exponents(np.array([0.5, 0.5]), Axis.parse("mix:params,loss"), np.eye(2))
    assert np.isnan(found).all()
