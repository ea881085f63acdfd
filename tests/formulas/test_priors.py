"""Priors: the language they are written in, and their quantiles in whitened coordinates."""

import math
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betainc, betainccinv, betaincinv, ndtr

from upturn.arrays.namespaces import NUMPY
from upturn.checks.errors import DataError
from upturn.formulas.distributions import DISTRIBUTIONS, TABLE_REACH
from upturn.formulas.priors import Prior
from upturn.formulas.quantiles import Quantiles

UNKNOWN = math.nan

# what each text means, in SciPy's words
MEANING = {
    "Uniform(0.2, 0.9)": stats.uniform(0.2, 0.7),
    "Normal(-2, 0.5)": stats.norm(-2, 0.5),
    "LogNormal(1, 1.2)": stats.lognorm(1.2, scale=math.e),
    "HalfNormal(0.2)": stats.halfnorm(scale=0.2),
    "Exponential(3)": stats.expon(scale=3),
    "Gamma(2, 0.1)": stats.gamma(2, scale=10),
    "Beta(1, 4)": stats.beta(1, 4),
    "BetaMode(0.25, 100)": stats.beta(1 + 0.25 * 98, 1 + 0.75 * 98),
    "BetaMode(0, 100)": stats.beta(1, 99),
    "BetaMode(1, 2)": stats.beta(1, 1),
    "Onset(0.7, 2)": Prior.parse("Onset(0.7, 2)", "test").choices[0].frozen(),
}
CLOSED = ("Uniform", "Normal", "LogNormal", "Onset")


def quantiles(text, z, chance=UNKNOWN):
    """Theta at z (point,) of a prior, for one curve."""
    table = Quantiles(Prior.parse(text, "test"), np.array([chance]))
    return table(NUMPY, np.zeros(1, dtype=np.intp), np.asarray(z, dtype=float)[None])[0]


def exact(frozen, z):
    """Q(Phi(z)), each tail from its own side."""
    if frozen.dist.name == "beta":  # whose ppf finds no root far out
        below, above = betaincinv(*frozen.args, ndtr(z)), betainccinv(*frozen.args, ndtr(-z))
    else:
        below, above = frozen.ppf(ndtr(z)), frozen.isf(ndtr(-z))
    return np.where(z < 0, below, above)


# --- quantiles ------------------------------------------------------------------------------------


def test_every_distribution_is_tested_here():
    assert {text.partition("(")[0] for text in MEANING} == set(DISTRIBUTIONS)


@pytest.mark.parametrize("text", MEANING)
def test_quantiles_are_scipys(text):
    """Where draws can be (8 sd): tables within 1e-7 of the prior's sd, closed forms exact."""
    z = np.random.default_rng(1).uniform(-8, 8, 3000)
    got, expected = quantiles(text, z), exact(MEANING[text], z)
    if text.startswith(CLOSED):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)
    else:
        assert np.abs(got - expected).max() < 1e-7 * MEANING[text].std()


@pytest.mark.parametrize("text", MEANING)
def test_quantiles_hold_to_sixteen_sd(text):
    """A task that is always solved lies 10 sd from a floor near 0; the tables end at 16."""
    assert TABLE_REACH == 16
    z = np.linspace(-16, 16, 1001)
    got, frozen = quantiles(text, z), MEANING[text]
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, exact(frozen, z), rtol=1e-5, atol=5e-8 * frozen.std())
    assert np.diff(got).min() > -1e-16  # in order, but for the last bit


@pytest.mark.parametrize("text", ["Beta(0.5, 0.5)", "Beta(0.5, 3)", "Gamma(0.5, 1)"])
def test_the_error_bound_of_tables_where_quantiles_bend_most(text):
    """Densities that go to infinity at an end: still within 1e-6 of the sd for shapes of 0.5."""
    frozen = Prior.parse(text, "test").choices[0].frozen()
    z = np.random.default_rng(2).uniform(-16, 16, 3000)
    assert np.abs(quantiles(text, z) - exact(frozen, z)).max() < 1e-6 * frozen.std()


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 2), (0.5, 3), (1.5, 0.3), (2, 5), (25.5, 74.5)])
def test_beta_tails_have_their_probability(alpha, beta):
    """SciPy's beta.ppf(1e-16, 0.5, 3) is off by 16 orders of magnitude: tables do not use it."""
    z = np.linspace(-9, 0, 145)  # on nodes of the table, where it interpolates nothing
    theta = quantiles(f"Beta({alpha}, {beta})", z)
    np.testing.assert_allclose(betainc(alpha, beta, theta), ndtr(z), rtol=1e-6)


@pytest.mark.parametrize("text", [t for t in MEANING if not t.startswith(CLOSED)])
def test_tables_stand_still_beyond_their_reach(text):
    ends = quantiles(text, [-16.0, -40.0, 16.0, 40.0])
    assert ends[0] == ends[1]
    assert ends[2] == ends[3]


def test_probability_is_kept():
    """The CDF at theta(z) is Phi(z): what whitening promises."""
    z = np.linspace(-5, 5, 101)
    for text, frozen in MEANING.items():
        np.testing.assert_allclose(frozen.cdf(quantiles(text, z)), ndtr(z), atol=1e-6)


@pytest.mark.parametrize(("end", "hazard"), [(0.7, 2.0), (0.25, 4.0), (1.0, 0.1)])
def test_onset_has_a_constant_density_and_then_a_constant_hazard(end, hazard):
    """By its definition: the density is continuous, flat to the end, and hazard times survival."""
    frozen = Prior.parse(f"Onset({end}, {hazard})", "test").choices[0].frozen()
    before, past = np.linspace(0.01, end - 1e-9, 50), end + np.linspace(1e-9, 3, 50)
    np.testing.assert_allclose(np.diff(frozen.pdf(before)), 0, atol=1e-12)
    np.testing.assert_allclose(frozen.pdf(past) / frozen.sf(past), hazard, rtol=1e-9)
    np.testing.assert_allclose(frozen.pdf(end - 1e-9), frozen.pdf(end + 1e-9), rtol=1e-6)
    np.testing.assert_allclose(frozen.cdf(end), hazard * end / (1 + hazard * end), rtol=1e-9)
    assert frozen.cdf(end + 60 / hazard) == pytest.approx(1)
    if hazard * end == 1:  # the default of forecasts: even odds of a change before and after
        assert frozen.cdf(end) == pytest.approx(0.5)


# --- alternatives, and curves whose chance differs ------------------------------------------------


def test_the_first_alternative_that_a_curve_can_use():
    prior = Prior.parse("BetaMode(chance, 100) | Beta(1, 4)", "test")
    assert str(prior.choice(0.25)) == "BetaMode(chance, 100)"
    assert prior.choice(0.25).numbers(0.25) == (0.25, 100)
    assert str(prior.choice(UNKNOWN)) == "Beta(1, 4)"


def test_an_alternative_that_chance_makes_impossible_is_passed_over():
    assert str(Prior.parse("HalfNormal(chance) | Beta(1, 4)", "test").choice(0.0)) == "Beta(1, 4)"
    floor = Prior.parse("BetaMode(chance, 100) | Beta(1, 4)", "test")
    assert str(floor.choice(-0.2)) == "Beta(1, 4)"  # of a continuous metric
    assert str(floor.choice(math.inf)) == "Beta(1, 4)"
    assert str(floor.choice(0.0)) == "BetaMode(chance, 100)"


def test_the_support_is_the_widest_of_the_alternatives():
    assert Prior.parse("Uniform(0.2, 0.5) | Uniform(0.4, 2)", "test").support() == (0.2, 2.0)
    assert Prior.parse("Beta(1, 4) | Normal(0, 1)", "test").support() == (-math.inf, math.inf)
    assert Prior.parse("Gamma(2, 1)", "test").support() == (0.0, math.inf)


@pytest.mark.parametrize(
    "text",
    [
        "BetaMode(chance, 100) | Beta(1, 4)",
        "Normal(chance, 0.05) | Normal(0.25, 0.125)",
        "LogNormal(chance, 1) | HalfNormal(2)",
        "Uniform(0, 1)",
        "HalfNormal(0.2)",
    ],
)
def test_curves_with_different_chance(text):
    """Each row has its own curve's prior, to the bit what that curve gets alone."""
    chance = np.array([0.25, UNKNOWN, 0.1, 0.25, 0.0])
    prior = Prior.parse(text, "test")
    z = np.random.default_rng(3).normal(size=(7, 200))
    rows = np.array([4, 0, 1, 1, 2, 3, 0])
    got = Quantiles(prior, chance)(NUMPY, rows, z)
    for row, curve in enumerate(rows):
        alone = Quantiles(prior, chance[curve : curve + 1])
        np.testing.assert_array_equal(
            got[row], alone(NUMPY, np.zeros(1, dtype=np.intp), z[row : row + 1])[0]
        )
        choice = prior.choice(chance[curve])
        expected = exact(choice.frozen(chance[curve]), z[row])
        np.testing.assert_allclose(got[row], expected, rtol=1e-4, atol=1e-7)


def test_no_curves():
    for text in ("Beta(1, 4)", "Normal(0, 1)"):
        table = Quantiles(Prior.parse(text, "test"), np.array([]))
        got = table(NUMPY, np.array([], dtype=np.intp), np.empty((0, 5)))
        assert got.shape == (0, 5)


# --- the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Uniform(0,1)", "Uniform(0, 1)"),
        ("  Normal( -2.5 , 1e-3 ) ", "Normal(-2.5, 0.001)"),
        ("BetaMode(chance,100)|Beta(1,4)", "BetaMode(chance, 100) | Beta(1, 4)"),
        ("Uniform(0.123456789012, 1)", "Uniform(0.123456789012, 1)"),
        ("Gamma(2,\n 0.1)  # heavy", "Gamma(2, 0.1)"),
    ],
)
def test_parse(text, canonical):
    prior = Prior.parse(text, "test")
    assert str(prior) == canonical
    assert Prior.parse(canonical, "test") == prior


@given(
    st.sampled_from(["Normal", "Uniform"]),
    st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-99),
    st.floats(1e-6, 1e3),
)
def test_text_holds_every_digit(name, low, step):
    arguments = (low, low + step) if name == "Uniform" else (low, step)
    text = f"{name}({arguments[0]!r}, {arguments[1]!r})"
    if name == "Uniform" and not low < low + step:
        return
    prior = Prior.parse(text, "test")
    assert prior.choices[0].arguments == arguments
    assert Prior.parse(str(prior), "test") == prior


SUCH_AS = "expected a prior such as 'LogNormal(1, 1.2)', but got "
NUMBERS = "expected numbers or the word 'chance' as arguments, but got "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", SUCH_AS + "''"),
        ("0.5", SUCH_AS + "0.5"),
        ("Uniform", SUCH_AS + "'Uniform'"),
        ("Uniform(0, 1", SUCH_AS + "'Uniform(0, 1'"),
        ("Uniform(0, 1) | ", SUCH_AS + "''"),
        ("Uniform(0, 1) + 1", SUCH_AS + "'Uniform(0, 1) + 1'"),
        ("Uniform(0, high=1)", SUCH_AS + "'Uniform(0, high=1)'"),
        ("Uniform(**{})", SUCH_AS + "'Uniform(**{})'"),
        ("Uniform(0, 1).x", SUCH_AS + "'Uniform(0, 1).x'"),
        ("Uniform(0, 1)(2)", SUCH_AS + "'Uniform(0, 1)(2)'"),
        ("Uniform(0, 1); import os", SUCH_AS + "'Uniform(0, 1); import os'"),
        ("lambda: 0", SUCH_AS + "'lambda: 0'"),
        ("__import__('os').system('true')", SUCH_AS + "\"__import__('os').system('true')\""),
        ("Uniform(0,\0 1)", SUCH_AS + r"'Uniform(0,\x00 1)'"),
        ("\ud800", SUCH_AS + r"'\ud800'"),
        ("__import__('os')", NUMBERS + "\"__import__('os')\""),
        ("exit(0)", "expected a known distribution, but got 'exit'; there are: 'Uniform', "),
        (
            "Unifrom(0, 1)",
            "expected a known distribution, but got 'Unifrom'; did you mean 'Uniform'? there are: "
            "'Uniform', 'Normal', 'LogNormal', 'HalfNormal', 'Exponential', 'Gamma', 'Beta', "
            "'BetaMode'",
        ),
        (
            "uniform(0, 1)",
            "expected a known distribution, but got 'uniform'; did you mean 'Uniform'?",
        ),
        ("Uniform(Uniform(0, 1), 1)", NUMBERS + "'Uniform(Uniform(0, 1), 1)'"),
        ("Uniform(*[0, 1])", NUMBERS + "'Uniform(*[0, 1])'"),
        ("Uniform(0, 'x')", NUMBERS + "\"Uniform(0, 'x')\""),
        ("Uniform(0, True)", NUMBERS + "'Uniform(0, True)'"),
        ("Uniform(0, 1j)", NUMBERS + "'Uniform(0, 1j)'"),
        ("Uniform(0, 2**9)", NUMBERS + "'Uniform(0, 2**9)'"),
        ("Uniform(0, __import__)", NUMBERS + "'Uniform(0, __import__)'"),
        ("Uniform(-inf, inf)", NUMBERS + "'Uniform(-inf, inf)'"),
        ("Uniform(nan, 1)", NUMBERS + "'Uniform(nan, 1)'"),
        ("Uniform(0)", "expected Uniform(low, high), but got 'Uniform(0)'"),
        ("HalfNormal(1, 2)", "expected HalfNormal(sd), but got 'HalfNormal(1, 2)'"),
        ("Gamma()", "expected Gamma(shape, rate), but got 'Gamma()'"),
        ("Uniform(1, 0)", "expected low below high in Uniform, but got 'Uniform(1, 0)'"),
        ("Uniform(1, 1)", "expected low below high in Uniform"),
        ("Normal(0, -1)", "expected a positive sd in Normal, but got 'Normal(0, -1)'"),
        ("Normal(0, 0)", "expected a positive sd in Normal"),
        ("LogNormal(0, -1)", "expected a positive sd in LogNormal"),
        (
            "LogNormal(1, 50)",
            "expected mean + 16 sd (of the logarithm) below 700 in LogNormal, "
            "but got 'LogNormal(1, 50)'",
        ),
        ("HalfNormal(-1)", "expected a positive sd in HalfNormal"),
        ("Exponential(0)", "expected a positive mean in Exponential"),
        ("Gamma(0, 1)", "expected a positive shape in Gamma"),
        ("Gamma(1, -1)", "expected a positive rate in Gamma"),
        ("Beta(0, 1)", "expected a positive alpha in Beta"),
        ("Beta(1, 0)", "expected a positive beta in Beta"),
        ("BetaMode(1.2, 9)", "expected a mode in [0, 1] and concentration >= 2 in BetaMode"),
        ("BetaMode(0.5, 1)", "expected a mode in [0, 1] and concentration >= 2 in BetaMode"),
        (
            "Uniform(0, 1e999)",
            "expected numbers between 1e-100 and 1e+100 in size in Uniform, "
            "but got 'Uniform(0, 1e999)'",
        ),
        ("HalfNormal(1e-200)", "expected numbers between 1e-100 and 1e+100 in size in HalfNormal"),
        (
            "BetaMode(chance, 100)",
            "expected a last alternative for curves whose chance is unknown, but got "
            "'BetaMode(chance, 100)'; write for instance 'BetaMode(chance, 100) | Beta(1, 4)'",
        ),
    ],
)
def test_messages(text, message):
    with pytest.raises(DataError, match=f"^here: {re.escape(message)}") as caught:
        Prior.parse(text, "here")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.5, None, ["Uniform(0, 1)"], {"low": 0}])
def test_a_prior_is_text(value):
    with pytest.raises(DataError, match=r"^here: expected a prior in quotes, but got "):
        Prior.parse(value, "here")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 100_000 + ")" * 100_000,
        "Uniform(" + "(" * 100_000 + "0" + ")" * 100_000 + ", 1)",
        "Uniform(" + "-" * 100_000 + "1, 2)",
        "Uniform(" + "[" * 100_000,
        "f(" * 50_000 + ")" * 50_000,
        "Uniform(0, " + "9" * 400 + ")",
        "Uniform(0, " + "9" * 5000 + ")",
        "Uniform(" + "0," * 20_000 + ")",
        "|" * 100_000,
        "x" * 1_000_000,
        "Uniform(0, 1)" * 10_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_get_a_short_message(text):
    began = time.monotonic()
    with pytest.raises(DataError, match=r"^here: expected ") as caught:
        Prior.parse(text, "here")
    assert len(str(caught.value)) < 300
    assert time.monotonic() - began < 5


def test_nothing_is_executed(tmp_path):
    """Not by the parser and not by what it calls: a text that would write a file writes none."""
    mark = tmp_path / "mark"
    for text in (
        f"open({str(mark)!r}, 'w')",
        f"Uniform(open({str(mark)!r}, 'w'), 1)",
        f"(lambda: open({str(mark)!r}, 'w'))()",
        f"[open({str(mark)!r}, 'w')][0]()",
    ):
        with pytest.raises(DataError):
            Prior.parse(text, "here")
    assert not mark.exists()


@pytest.mark.slow
def test_deep_nesting_does_not_end_the_interpreter():
    """The parser's own stack is C's: an overflow there would be no exception."""
    code = (
        "from upturn.formulas.priors import Prior\n"
        "from upturn.checks.errors import DataError\n"
        "for opening in ('(', '[', '-', 'not ', 'f(', 'lambda:', '0 if 0 else ', '1**'):\n"
        "    for count in (10**3, 10**4, 10**5, 10**6):\n"
        "        try: Prior.parse(opening * count + '1', 'x')\n"
        "        except DataError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]


@given(st.text(max_size=40))
def test_any_text_is_a_prior_or_a_data_error(text):
    try:
        prior = Prior.parse(text, "here")
    except DataError:
        return
    assert Prior.parse(str(prior), "here") == prior


# --- scores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", MEANING)
def test_normal_scores_are_the_inverse_of_quantiles(text):
    z = np.linspace(-5, 5, 21)
    found = Prior.parse(text, "test").normal_scores(exact(MEANING[text], z)[None], np.array([0.3]))
    # of a value close to an upper bound of 1, doubles keep few digits
    np.testing.assert_allclose(found[0], z, rtol=1e-5, atol=1e-5)


def test_normal_scores_are_of_each_curve_s_own_prior():
    prior = Prior.parse("HalfNormal(chance) | Uniform(0, 1)", "test")
    values, chance = np.full((3, 1), 0.25), np.array([0.5, UNKNOWN, 0.25])
    below = [*stats.halfnorm(scale=[0.5]).cdf(0.25), 0.25, *stats.halfnorm(scale=[0.25]).cdf(0.25)]
    np.testing.assert_allclose(prior.normal_scores(values, chance)[:, 0], stats.norm.ppf(below))
