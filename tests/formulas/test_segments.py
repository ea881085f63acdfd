"""Segments: each against its formula, and how a chain of them joins."""

import numpy as np
import pytest

from upturn.arrays.namespaces import NUMPY
from upturn.formulas.segments import (
    KINDS,
    Floor,
    Gompertz,
    Level,
    Line,
    Logistic,
    Ramp,
    Rise,
    Stand,
    share,
)

U = np.linspace(-0.4, 1.4, 181)  # offsets of families carry points beyond the axis


def s_of(segments, changepoints, parameters, u=U):
    """The share of one chain at u (point,), for parameters that are plain numbers."""

    def wrap(value):
        return np.array([[[value]]], dtype=float)

    shares = share(
        NUMPY,
        segments,
        [wrap(tau) for tau in changepoints],
        [{name: wrap(value) for name, value in p.items()} for p in parameters],
        np.asarray(u, dtype=float)[None, :, None],
    )
    return np.broadcast_to(shares, (1, len(u), 1))[0, :, 0]


def logistic(eta):
    return 1 / (1 + np.exp(-eta))


@pytest.mark.parametrize(
    ("segment", "parameters", "expected"),
    [
        (Floor(), {}, lambda u: 0 * u),
        (Level(), {"level": 0.3}, lambda u: 0 * u + 0.3),
        (Line(), {"intercept": -1.0, "slope": 4.0}, lambda u: logistic(-1 + 4 * u)),
        (Line(down=True), {"intercept": 1.0, "slope": 4.0}, lambda u: logistic(1 - 4 * u)),
        (
            Logistic(),
            {"height": 0.7, "midpoint": 0.5, "width": 0.1},
            lambda u: 0.7 * logistic((u - 0.5) / 0.1),
        ),
        (
            Gompertz(),
            {"height": 0.7, "midpoint": 0.5, "width": 0.1},
            lambda u: 0.7 * np.exp(-np.exp(-(u - 0.5) / 0.1)),
        ),
        (
            Gompertz(mirror=True),
            {"height": 0.7, "midpoint": 0.5, "width": 0.1},
            lambda u: 0.7 * (1 - np.exp(-np.exp((u - 0.5) / 0.1))),
        ),
    ],
)
def test_a_segment_standing_alone(segment, parameters, expected):
    np.testing.assert_allclose(s_of((segment,), [], [parameters]), expected(U), atol=1e-15)


def test_rise():
    s = s_of((Floor(), Rise()), [0.4], [{}, {"height": 0.8, "rate": 3.0}])
    np.testing.assert_allclose(s, 0.8 * (1 - np.exp(-3 * np.maximum(U - 0.4, 0))), atol=1e-15)


def test_a_rise_goes_on_from_where_the_curve_stands():
    s = s_of((Level(), Rise()), [0.4], [{"level": 0.2}, {"height": 0.8, "rate": 3.0}])
    expected = 0.2 + 0.6 * (1 - np.exp(-3 * np.maximum(U - 0.4, 0)))
    np.testing.assert_allclose(s, expected, atol=1e-15)


def test_ramp_is_ended_by_the_ceiling():
    s = s_of((Floor(), Ramp()), [0.4], [{}, {"slope": 2.0}])
    np.testing.assert_allclose(s, np.clip(2 * (U - 0.4), 0, 1), atol=1e-15)


def test_a_line_goes_on_from_the_log_odds_where_the_curve_stands():
    s = s_of((Level(), Line()), [0.4], [{"level": 0.2}, {"slope": 5.0}])
    expected = logistic(np.log(0.2 / 0.8) + 5 * np.maximum(U - 0.4, 0))
    np.testing.assert_allclose(s, expected, atol=1e-15)


def test_a_level_jumps_and_a_joined_one_does_not():
    jump = s_of((Floor(), Level()), [0.4], [{}, {"level": 0.6}])
    np.testing.assert_array_equal(jump, np.where(U > 0.4, 0.6, 0.0))
    plateau = s_of((Floor(), Ramp(), Level(joined=True)), [0.4, 0.7], [{}, {"slope": 2.0}, {}])
    np.testing.assert_allclose(plateau, np.clip(2 * (U - 0.4), 0, 0.6), atol=1e-15)


def test_a_moving_segment_stops_at_the_next_changepoint():
    s = s_of((Line(down=True), Line()), [0.5], [{"intercept": 1.0, "slope": 4.0}, {"slope": 6.0}])
    expected = logistic(1 - 4 * np.minimum(U, 0.5) + 6 * np.maximum(U - 0.5, 0))
    np.testing.assert_allclose(s, expected, atol=1e-15)
    s = s_of(
        (Floor(), Rise(), Ramp()),
        [0.2, 0.5],
        [{}, {"height": 0.4, "rate": 5.0}, {"slope": 1.0}],
    )
    stood = 0.4 * (1 - np.exp(-5 * np.clip(U - 0.2, 0, 0.3)))
    np.testing.assert_allclose(s, np.minimum(stood + np.maximum(U - 0.5, 0), 1), atol=1e-15)


def test_several_jumps():
    s = s_of(
        (Level(), Level(), Level()), [0.2, 0.6], [{"level": 0.1}, {"level": 0.5}, {"level": 0.3}]
    )
    np.testing.assert_array_equal(s, np.where(U > 0.6, 0.3, np.where(U > 0.2, 0.5, 0.1)))


@pytest.mark.parametrize("share_before", [0.0, 1e-310, 1.0])
def test_a_line_from_the_ends_of_the_range_stays_finite(share_before):
    """A ramp may have reached the ceiling, and a floor lies at 0, where log odds are infinite."""
    eta = Stand(np.array([share_before])).eta(NUMPY)
    assert np.isfinite(eta).all()
    s = s_of((Level(), Line()), [0.4], [{"level": share_before}, {"slope": 5.0}])
    assert np.isfinite(s).all()
    np.testing.assert_allclose(s[U < 0.4], share_before, atol=1e-15)


@pytest.mark.parametrize("width", [1e-300, 1e-7, 1e3])
@pytest.mark.parametrize("segment", [Logistic(), Gompertz(), Gompertz(mirror=True)])
def test_extreme_widths_stay_within_range(segment, width):
    """Without a warning: overflow in an exponential is one, and warnings are errors here."""
    s = s_of((segment,), [], [{"height": 1.0, "midpoint": 0.505, "width": width}])
    assert ((s >= 0) & (s <= 1)).all()
    assert (np.diff(s) >= 0).all()


@pytest.mark.parametrize("slope", [0.0, 1e-9, 1e5])
def test_extreme_slopes_stay_within_range(slope):
    for chain, parameters in [
        ((Line(),), [{"intercept": -2.0, "slope": slope}]),
        ((Line(down=True),), [{"intercept": 2.0, "slope": slope}]),
    ]:
        s = s_of(chain, [], parameters)
        assert ((s >= 0) & (s <= 1)).all()


def test_shapes_broadcast_to_row_point_particle():
    """Two rows, three points, five particles; and points that are shifted by particle."""
    rng = np.random.default_rng(0)
    tau, height, rate = (rng.uniform(0.1, 0.9, (2, 1, 5)) for _ in range(3))
    u = rng.uniform(0, 1, (2, 3, 1))
    whole = share(NUMPY, (Floor(), Rise()), [tau], [{}, {"height": height, "rate": rate}], u)
    assert whole.shape == (2, 3, 5)
    shifted = share(
        NUMPY,
        (Floor(), Rise()),
        [tau],
        [{}, {"height": height, "rate": rate}],
        np.broadcast_to(u, (2, 3, 5)),
    )
    np.testing.assert_array_equal(whole, shifted)
    for r in range(2):
        for n in range(5):
            alone = s_of(
                (Floor(), Rise()),
                [tau[r, 0, n]],
                [{}, {"height": height[r, 0, n], "rate": rate[r, 0, n]}],
                u[r, :, 0],
            )
            np.testing.assert_array_equal(whole[r, :, n], alone)


def test_every_kind_says_where_it_may_stand():
    begins = {kind for kind, segment in KINDS.items() if segment.can_begin}
    follows = {kind for kind, segment in KINDS.items() if segment.can_follow}
    assert begins == {"floor", "level", "line", "logistic", "gompertz"}
    assert follows == {"level", "rise", "ramp", "line"}
    assert {kind for kind, segment in KINDS.items() if not segment.moves} == {"floor", "level"}


def test_three_lines_each_go_on_where_the_one_before_ended():
    eta = -1 + 2 * np.minimum(U, 0.3) - 3 * np.clip(U - 0.3, 0, 0.3) + 4 * np.maximum(U - 0.6, 0)
    lines = [{"intercept": -1.0, "slope": 2.0}, {"slope": 3.0}, {"slope": 4.0}]
    got = s_of((Line(), Line(down=True), Line()), [0.3, 0.6], lines)
    np.testing.assert_allclose(got, logistic(eta), rtol=1e-12)


def test_log_odds_of_nothing_and_of_all_are_finite():
    """Of 1e-300, and of the largest double below 1."""
    eta = Stand(np.array([0.0, 1.0])).eta(NUMPY)
    assert eta == pytest.approx([np.log(1e-300), 53 * np.log(2)], abs=1e-9)


@pytest.mark.parametrize(("logit", "share"), [(-600.0, np.exp(-600)), (-800.0, np.exp(-700))])
def test_shares_are_held_as_far_as_a_double_reaches(logit, share):
    assert Stand(logit=np.array([logit])).s(NUMPY)[0] == pytest.approx(share, rel=1e-9, abs=0)
