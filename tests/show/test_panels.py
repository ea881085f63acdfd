"""What pictures show, against independent ways to compute it."""

import numpy as np
import pytest
from scipy import stats

from upturn.checks.errors import DataError
from upturn.show.panels import chosen, densities, panels, score_intervals, titles_of


def test_score_intervals_are_wilsons(drawn):
    curves = drawn.curves
    low, high = score_intervals(curves, 0.8)
    for i, j in [(0, 0), (0, 17), (1, 5), (2, 0)]:
        k, n = round(curves.response[i, j]), round(curves.trials[i, j])
        found = stats.binomtest(k, n).proportion_ci(0.8, method="wilson")
        np.testing.assert_allclose((low[i, j], high[i, j]), found, atol=1e-12)
    bleu = curves.kind == "continuous"
    assert bleu.any()
    assert np.isnan(low[bleu]).all()


def test_a_density_is_that_of_its_draws():
    """Against the beta distribution it was drawn from, whose smooth density it comes near."""
    random = np.random.default_rng(1)
    u = random.beta(4, 9, size=(1, 20_000))
    x, density = densities(20 + 3 * u, np.array([0.6]), np.array([20.0]), np.array([23.0]))
    truth = 0.6 * stats.beta(4, 9, loc=20, scale=3).pdf(x)
    np.testing.assert_allclose(density, truth, atol=0.06 * truth.max())


def test_a_density_holds_the_probability_that_is_within_the_axis():
    random = np.random.default_rng(2)
    draws = random.uniform(0, 1, size=(3, 4000))
    draws[1, :1000] = np.inf
    draws[2, :3000] = -np.inf
    p = np.array([0.9, 1.0, 0.5])
    x, density = densities(draws, p, np.zeros(3), np.ones(3))
    held = density.sum(axis=1) * (x[0, 1] - x[0, 0])
    np.testing.assert_allclose(held, [0.9, 0.75, 0.125], rtol=1e-9)
    assert (density >= 0).all()
    # reflected at its ends, a flat density stays flat up to them
    np.testing.assert_allclose(density[0], 0.9, atol=0.2)


def test_panels_say_what_the_fit_says(drawn):
    found = panels(drawn, ci=0.8)
    summary = drawn.summary(0.8)
    assert [panel.name for panel in found] == summary.index.tolist()
    x, low, median, high = drawn.expected(61, 0.8)
    for i, panel in enumerate(found):
        np.testing.assert_array_equal(panel.grid, x[i])
        for own, all_of_them in [
            (panel.expected_low, low),
            (panel.expected, median),
            (panel.expected_high, high),
        ]:
            np.testing.assert_array_equal(own, all_of_them[i])
        step = panel.density_x[1] - panel.density_x[0]
        total = panel.density.sum() * step + panel.before + panel.beyond
        assert total == pytest.approx(1, abs=1e-9)
    assert {p.labels["task"] for p in found if p.not_yet} >= {"never"}
    assert not any(p.not_yet for p in found if p.labels["task"] == "rises")


def test_a_choice_of_curves_is_drawn_like_all_of_them(drawn):
    every, some = panels(drawn), panels(drawn, np.array([7, 2]))
    for one, other in zip(some, (every[7], every[2]), strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.expected, other.expected)
        np.testing.assert_array_equal(one.density, other.density)


def test_fewer_draws_stay_near_all(drawn):
    _, _, every, _ = drawn.expected(21)
    _, _, some, _ = drawn.expected(21, draws=200, index=np.arange(len(drawn.curves)))
    bounded = drawn.curves.kind != "continuous"
    assert np.abs(every - some)[bounded].max() < 0.05


def test_titles_leave_the_axis_out(drawn):
    titles = titles_of(drawn.curves)
    assert titles[0] == "rises"
    assert len(set(titles)) == 5
    assert titles == [name.rpartition(" | ")[0] for name in drawn.curves.name]


def test_curves_are_chosen_by_name_axis_and_label(drawn):
    curves = drawn.curves
    assert chosen(curves, "rises").tolist() == [0, 5, 10]
    assert chosen(curves, "rises | params").tolist() == [5]
    assert chosen(curves, ["rises", "bleu"], axis="perplexity").tolist() == [10, 14]
    assert chosen(curves, where=["metric=bleu", "axis=flops"]).tolist() == [4]
    assert len(chosen(curves, where=["task=rises", "task=never"])) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": "rise"}, "curve: expected a known curve, but got 'rise'; did you mean 'rises'"),
        ({"axis": "tokens"}, "axis: expected a known axis"),
        ({"where": ["metric"]}, "where: expected LABEL=VALUE, but got 'metric'"),
        ({"where": ["metric=f1"]}, "where: expected a known metric"),
        ({"where": ["shade=blue"]}, "where: expected a known label"),
        ({"names": "bleu", "where": ["metric=acc"]}, "expected curves to draw"),
    ],
)
def test_a_choice_of_nothing_is_refused(drawn, options, message):
    with pytest.raises(DataError, match=message):
        chosen(drawn.curves, **options)
