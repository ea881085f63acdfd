"""The figures and models of docs/models.md."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from tests.support.models import (
    PARAMETERS,
    SEGMENT_PRIORS,
    mean,
)
from tests.support.priors import from_prior
from upturn.formulas import segments
from upturn.formulas.likelihoods.continuous import SMALLEST_SIGMA
from upturn.formulas.likelihoods.likelihood import RHO_RANGE
from upturn.formulas.likelihoods.proportions import ROUNDING_RHO
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.priors import Prior
from upturn.formulas.segments import KINDS
from upturn.model import Model


@pytest.fixture(scope="module")
def page():
    path = Path(__file__).parents[2] / "docs" / "models.md"
    return path.read_text("utf-8")


def rows(page, heading):
    """The cells of the first table under a heading."""
    lines = page[page.index(f"\n## {heading}\n") :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table[2:]


def test_the_page_shows_every_segment_and_model(page):
    assert {row[0].strip("`") for row in rows(page, "Segments")} == set(KINDS)
    shown = {row[0].strip("`"): row[3] for row in rows(page, "Built-in models")}
    assert list(shown) == list(PARAMETERS)
    for name, cell in shown.items():
        assert tuple(re.findall(r"`([a-z_0-9]+)`", cell)) == PARAMETERS[name]


def test_the_page_shows_the_default_priors(page):
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows(page, "Default priors")}
    noise = {
        name: parameter.prior
        for likelihood in LIKELIHOODS.values()
        for name, parameter in likelihood.parameters.items()
    }
    floors = {
        "floor of counts and proportions": LIKELIHOODS["beta-binomial"].floor,
        "floor of continuous metrics": LIKELIHOODS["normal"].floor,
    }
    expected = {**SEGMENT_PRIORS, **noise, **floors, "scatter": "HalfNormal(0.1)"}
    assert {k: v.replace("\\|", "|") for k, v in shown.items()} == expected


def test_the_page_shows_the_priors_that_models_change(page):
    for name in PARAMETERS:
        for parameter, text in Model.read(name).given.items():
            assert f"| `{name}` | `{parameter}` | `{text}` |" in page


def test_the_page_shows_what_priors_imply(page, predictive):
    """Each figure of the table, to its last digit but one."""
    table = {row[0].strip("`"): row[1:] for row in rows(page, "What the priors imply")}
    assert list(table) == [n for n in PARAMETERS if Model.read(n).moves]
    for name, cells in table.items():
        seen = predictive[name]
        numbers = [float(n.replace("−", "-")) for n in re.findall(r"[−\d.]+", " ".join(cells))]
        expected = [
            100 * seen["moves"],
            *seen["start"],
            *seen["rise"],
            *([] if math.isnan(seen["width"]) else [seen["width"]]),
            100 * seen["emergent"],
        ]
        tolerance = [1.5] + [0.015] * (len(expected) - 2) + [1.5]
        assert len(numbers) == len(expected)
        assert np.abs(np.subtract(numbers, expected) / tolerance).max() < 1, (name, expected)


def test_the_page_says_what_single_priors_imply(page):
    """The figures in the table's words: 5 %, 50 % and 95 % quantiles of what a reader sees."""

    def ends(parameter, function=lambda x: x):
        declared = {**segments.all_parameters(), **LIKELIHOODS["student-t"].parameters}
        text = (declared | LIKELIHOODS["beta"].parameters)[parameter].prior
        frozen = Prior.parse(text, parameter).choices[0].frozen()
        return [f"{x:.2g}" for x in sorted(function(frozen.ppf([0.05, 0.5, 0.95])))]

    shown = {row[0].strip("`"): row[2] for row in rows(page, "Default priors")}
    fast, median, slow = ends("rate", lambda rate: 1 / rate)
    assert f"{median} in the median, 0.05 to {slow} in nine cases of ten" in shown["rate"]
    assert float(fast) == pytest.approx(0.05, abs=0.002)
    assert f"in {float(ends('slope')[1]) ** -1:.1f} of the axis" in shown["slope"]
    low, median, high = ends("width", lambda width: 2 * math.log(9) * width)
    assert f"{median} of the axis in the median, {low} to {high}" in shown["width"]
    _, median, high = ends("overdispersion", lambda root: root / 2)
    assert f"{float(median):.2f} in the median at a mean of one half" in shown["overdispersion"]
    assert f"{float(high):.2f} in one case of twenty" in shown["overdispersion"]
    _, median, high = ends("sigma", lambda sigma: 100 * sigma / 0.5)
    assert f"{median} % of the range of the scores seen in the median, {high} %" in shown["sigma"]
    low, _, high = ends("nu")
    assert f"({low}) to as good as normal ({high})" in shown["nu"]


def test_the_page_says_what_the_priors_of_models_imply(page):
    """The figures in the words of the second table."""

    def median(model, parameter, level=0.5, function=lambda x: x):
        prior = Prior.parse(Model.read(model).given[parameter], parameter)
        return f"{float(function(prior.choices[0].frozen().ppf(level))):.2f}"

    def said(model, parameter):
        cells = next(x for x in page.splitlines() if f"| `{model}` | `{parameter}` |" in x)
        return cells.split(" | ")[-1]

    assert f"ceiling in {ends_in_words(median('ramp', 'slope'))} axis" in said("ramp", "slope")
    across = median("takeoff", "slope", function=lambda slope: 1 / slope)
    assert f"{across} of it in the median" in said("takeoff", "slope")
    words = said("logit-line", "intercept")
    assert f"a share of {median('logit-line', 'intercept', function=expit)} in the med" in words
    assert f"above {median('logit-line', 'intercept', 0.95, expit)} in one case of twenty" in words
    assert f"{float(median('logit-line', 'slope')):.1f} per axis" in said("logit-line", "slope")
    words = said("delayed-logit", "level")
    assert f"a share of {median('delayed-logit', 'level')} in the median" in words
    assert f"{median('delayed-logit', 'level', 0.95)} in one case of twenty" in words
    across = median("delayed-logit", "slope", function=lambda slope: 2 * math.log(9) / slope)
    assert f"from 10 % to 90 % in {across} of an axis" in said("delayed-logit", "slope")


def ends_in_words(number):
    return {"1.00": "one"}[number]


def test_the_page_says_what_the_smallest_noise_is(page):
    assert (ROUNDING_RHO, SMALLEST_SIGMA, RHO_RANGE[0]) == (4e-7, 1e-4, 1e-8)
    assert "ρ counts as 4·10⁻⁷ at least" in page
    assert f"an sd of {math.sqrt(0.25 * ROUNDING_RHO):.4f} at a mean of one half" in page
    assert f"{SMALLEST_SIGMA:.4f} at least, {100 * SMALLEST_SIGMA / 0.5:.2f} % of the range" in page
    assert "the least ρ is 10⁻⁸" in page


def test_the_files_on_the_page_are_models(page):
    found = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert len(found) >= 2
    for text in found:
        model = Model.from_toml(text, "docs/models.md")
        assert np.isfinite(mean(model, from_prior(model, 32))).all()
