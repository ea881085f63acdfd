"""Axes: what a text names, coordinates that grow with capability, values as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upturn.checks.errors import DataError
from upturn.tables.axis import Axis, check_names, lower_is_better
from upturn.tables.cells import day_number


@pytest.mark.parametrize(
    ("spec", "name", "transform"),
    [
        ("flops", "flops", "log10"),
        ("params", "params", "log10"),
        ("tokens", "tokens", "log10"),
        ("perplexity", "perplexity", "-log10"),
        ("wikitext_ppl", "wikitext_ppl", "-log10"),
        ("loss", "loss", "-linear"),
        ("val-loss", "val-loss", "-linear"),
        ("bits_per_byte", "bits_per_byte", "-linear"),
        ("elo", "elo", "log10"),
        ("year:linear", "year", "linear"),
        ("year:-linear", "year", "-linear"),
        ("loss:log10", "loss", "-log10"),
        ("loss:-log10", "loss", "-log10"),
        ("perplexity:linear", "perplexity", "-linear"),
        ("released:date", "released", "date"),
        ("a:b:linear", "a:b", "linear"),
    ],
)
def test_parse(spec, name, transform):
    assert Axis.parse(spec) == Axis(name, transform)


def test_an_axis_parses_to_itself():
    axis = Axis("anything", "date")
    assert Axis.parse(axis) is axis


def test_a_mix_has_components():
    axis = Axis.parse("mix:params,perplexity,year:linear")
    assert axis.name == "mix:params,perplexity,year:linear"
    assert axis.transform == "mix"
    assert [part.transform for part in axis.parts] == ["log10", "-log10", "linear"]
    assert axis.title == "mix of parameters, perplexity, year"
    assert axis.format(0.4321) == "0.43"


def test_a_mix_has_no_native_unit():
    with pytest.raises(ValueError, match="the axis mix:params,tokens has no native unit"):
        Axis.parse("mix:params,tokens").coordinate([1.0])


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("", "expected the name of a column, but got ''; for example flops"),
        (":linear", "expected the name of a column, but got ':linear'"),
        ("flops:log", "axis 'flops:log': expected a known transform, but got 'log'; did you mean"),
        ("mix", "expected a mix of two or more different columns, but got 'mix'; for example mix:"),
        ("mix:params", "expected a mix of two or more different columns, but got 'mix:params'"),
        ("mix:params,params", "expected a mix of two or more different columns"),
    ],
)
def test_what_is_no_axis(spec, text):
    with pytest.raises(DataError, match=text):
        Axis.parse(spec)


def test_each_axis_once():
    axes = (Axis.parse("flops"), Axis.parse("params"))
    assert check_names(axes) == axes
    with pytest.raises(DataError, match="one or more different axes, but got 'flops', 'flops'"):
        check_names((axes[0], Axis("flops", "linear")))
    with pytest.raises(DataError, match="one or more different axes, but got none"):
        check_names(())


@pytest.mark.parametrize(
    "name", ["loss", "Loss", "ppl", "tc_brier_loss", "word_perplexity", "bits_per_byte", "WER"]
)
def test_lower_is_better_by_name(name):
    assert lower_is_better(name)


@pytest.mark.parametrize("name", ["acc", "exact_match", "f1", "lossless", "supple", "mirror", ""])
def test_higher_is_better(name):
    assert not lower_is_better(name)


# ---- coordinates ---------------------------------------------------------------------------------

SPECS = ["flops", "perplexity", "loss", "year:linear", "year:-linear", "released:date"]


@pytest.mark.parametrize("spec", SPECS)
@given(st.lists(st.floats(1e-6, 1e26), min_size=1))
def test_value_inverts_coordinate(spec, values):
    axis = Axis.parse(spec)
    np.testing.assert_allclose(axis.value(axis.coordinate(values)), values, rtol=1e-12)


@pytest.mark.parametrize(
    ("spec", "better", "worse"),
    [("flops", 1e22, 1e20), ("perplexity", 3, 18), ("loss", 2, 3), ("year:linear", 2022, 2020)],
)
def test_capability_grows_to_the_right(spec, better, worse):
    axis = Axis.parse(spec)
    assert axis.coordinate(better) > axis.coordinate(worse)


def test_coordinates():
    assert Axis.parse("flops").coordinate([1e20, 1e21]).tolist() == [20, 21]
    assert Axis.parse("perplexity").coordinate(100) == -2
    assert Axis.parse("loss").coordinate([[2.5]]).tolist() == [[-2.5]]


@pytest.mark.parametrize(("spec", "value"), [("perplexity", 1.0), ("loss", 0.0)])
def test_no_negative_zero(spec, value):
    axis = Axis.parse(spec)
    assert not np.signbit(axis.coordinate(value))
    assert not np.signbit(axis.value(0.0))


# ---- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "value", "text"),
    [
        ("flops", 2.14e22, "2.1e22"),
        ("flops", 9.96e22, "1.0e23"),
        ("flops", 5e5, "5.0e5"),
        ("params", 13e9, "13B"),
        ("params", 12.85e9, "13B"),
        ("params", 174.6e9, "175B"),
        ("params", 1.3e9, "1.3B"),
        ("params", 7e9, "7B"),
        ("params", 9.97e9, "10B"),
        ("params", 125e6, "125M"),
        ("params", 999.9e6, "1B"),
        ("params", 350e3, "350K"),
        ("params", 12, "12"),
        ("params", 1.8e12, "1.8T"),
        ("params", 2e15, "2.0e15"),
        ("tokens", 3e11, "300B"),
        ("perplexity", 8.63, "8.6"),
        ("perplexity", 18.6, "18.6"),
        ("perplexity", 3, "3.0"),
        ("perplexity", 165.2, "165"),
        ("perplexity", 6.7e8, "6.7e8"),
        ("loss", 2.345, "2.35"),
        ("loss", 0.0123, "0.012"),
        ("loss", -2.345, "-2.35"),
        ("loss", 0.0, "0"),
        ("year:linear", 2022.0, "2022"),
        ("year:linear", 2022.4, "2022"),
        ("elo", 1234.5, "1234"),
        ("elo", 1e-5, "1.0e-5"),
        ("released:date", day_number("2022-06-15") + 0.7, "2022-06-15"),
        ("released:date", 1e9, "day 1000000000"),
        ("flops", np.nan, "nan"),
        ("flops", np.inf, "inf"),
    ],
)
def test_format(spec, value, text):
    assert Axis.parse(spec).format(value) == text


def test_titles():
    names = ["flops", "params", "tokens", "perplexity", "loss", "elo"]
    titles = [Axis.parse(name).title for name in names]
    assert titles == [
        "training FLOPs", "parameters", "training tokens", "perplexity", "loss", "elo",
    ]  # fmt: skip
    assert str(Axis.parse("year:linear")) == "year"


@pytest.mark.parametrize(
    ("name", "x", "text"),
    [
        ("flops", 22.32, "2.1e22"),
        ("flops", np.inf, "> 1.0e25"),
        ("flops", -np.inf, "< 1.0e20"),
        ("perplexity", np.inf, "< 3.2"),
        ("perplexity", -np.inf, "> 10.0"),
    ],
)
def test_a_coordinate_as_text_or_beyond_which_end(name, x, text):
    low, high = (-1.0, -0.5) if name == "perplexity" else (20.0, 25.0)
    assert Axis.parse(name).text(x, low, high) == text


def test_a_coordinate_above_the_largest_number_is_infinite():
    """Without a warning: the largest number's own coordinate, rounded, is above it."""
    axis = Axis.parse("flops")
    assert axis.value(np.nextafter(axis.coordinate(1.7976931348623157e308), 999)) == np.inf
