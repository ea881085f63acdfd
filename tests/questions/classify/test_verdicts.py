"""Verdicts: what counts as flipped, on classifications made by hand."""

import numpy as np
import pytest

from tests.support.classifications import classification, shape
from upturn.questions.classify.verdicts import Answers, Change, Verdicts
from upturn.tables import datasets
from upturn.tables.results import read


@pytest.fixture(scope="module")
def curves():
    found = read(datasets.path("gpt3")).where("setting=few-shot").curves("flops", metric="acc")
    return found.take(slice(3))


def made(curves, *, p=(0.9, 0.1, 0.9), sharp=0.0, until=0.5, smooth=(3, -3, 3), **options):
    shapes = [
        shape("flat", np.zeros(len(curves)), 0.0),
        shape("logistic", smooth, p, p_sharp=sharp, flat_until=until, **options),
    ]
    return classification(curves, shapes)


def verdicts(before, *after):
    everywhere = np.arange(len(before.curves))
    return Verdicts(
        before, [Change.of("prior", f"change {i}", a, everywhere, 0.9) for i, a in enumerate(after)]
    )


def test_what_does_not_change_does_not_flip(curves):
    found = verdicts(made(curves), made(curves), made(curves, p=(0.8, 0.2, 0.95)))
    assert found.summary()["flips"].tolist() == ["", "", ""]
    assert found.summary()["changes"].tolist() == [2, 2, 2]
    assert found.verdict == "emergent or not flips on none of 3 curves"


def test_a_probability_that_crosses_one_half(curves):
    found = verdicts(made(curves), made(curves, p=(0.1, 0.1, 0.9)), made(curves, p=(0, 0, 0.9)))
    summary = found.summary()
    assert summary["flips"].tolist() == ["not emergent: change 0, change 1", "", ""]
    assert summary["p_emergent_low"].iloc[0] == 0
    assert summary["p_emergent_high"].iloc[0] == summary["p_emergent"].iloc[0]
    assert found.verdict == f"emergent or not flips on 1 of 3 curves: {curves.name[0]}"
    sharp = verdicts(made(curves), made(curves, sharp=0.9)).summary()["flips"]
    assert sharp.tolist() == ["sharp: change 0", "", "sharp: change 0"]


def test_crossing_by_less_than_the_error_is_no_flip(curves):
    """0.54 to 0.46, told by 40 draws."""
    found = verdicts(made(curves, p=(0.57,) * 3), made(curves, p=(0.48,) * 3))
    assert found.summary()["flips"].tolist() == [""] * 3
    surer = verdicts(made(curves, p=(0.9,) * 3), made(curves, p=(0.3,) * 3)).summary()["flips"]
    assert surer.tolist() == ["not emergent: change 0", "", "not emergent: change 0"]
    noisy = verdicts(
        made(curves, smooth=(0.3, 0, 0), p=1.0), made(curves, smooth=(-0.3, 0, 0), p=1.0, error=1.0)
    )
    assert noisy.summary()["flips"].tolist() == [""] * 3


def test_another_class_becomes_the_likeliest(curves):
    found = verdicts(made(curves, p=0.0), made(curves, p=0.0, smooth=(-3, -3, 3)))
    assert found.summary()["flips"].tolist() == ["likeliest flat: change 0", "", ""]
    table = found.table()
    assert table["likeliest"].tolist() == ["flat", "flat", "smooth"]
    assert table["curve"].tolist() == curves.name.tolist()
    assert table["flips"].tolist() == ["likeliest flat", "", ""]


def test_a_class_that_is_gone_is_no_longer_the_likeliest(curves):
    before = made(curves, p=0.0)
    flips = verdicts(before, before.without("logistic")).summary()["flips"]
    assert flips.tolist() == ["likeliest flat: change 0", "", "likeliest flat: change 0"]


def test_a_scale_that_leaves_its_interval(curves):
    found = verdicts(made(curves, p=1.0), made(curves, p=1.0, until=0.7))
    low, high = curves.limits[:, 0, 0]
    old, new = (f"{10 ** (low + u * (high - low)):.1e}".replace("+", "") for u in (0.5, 0.7))
    assert found.summary()["flips"].iloc[0] == f"scale {old} → {new}: change 0"
    assert found.summary()["flips"].iloc[1] == ""  # where nothing emerges there is no scale
    assert found.table()["scale"].iloc[0] == pytest.approx(10 ** (low + 0.7 * (high - low)))
    assert np.isinf(found.table()["scale"].iloc[1])


def test_changes_of_some_of_the_curves(curves):
    before, after = made(curves), made(curves, p=(0.0, 0.0, 0.0))
    change = Change.of("model", "without x", after, np.array([2]), 0.9)
    found = Verdicts(before, [change])
    assert found.summary()["changes"].tolist() == [0, 0, 1]
    assert found.summary()["flips"].tolist() == ["", "", "not emergent: without x"]
    assert found.table()["curve"].tolist() == [curves.name[2]]
    assert Verdicts(before, []).table().empty


def answers(emergent, sharp, x, classes):
    """One curve's, each probability with its error; the scale as the ends about the median."""
    column = np.array([emergent, sharp], dtype=float)[:, :, None]
    return Answers(
        p_emergent=column[0], p_sharp=column[1], x=np.array(x, dtype=float)[:, None],
        p_class=np.array(classes, dtype=float)[:, None],
    )  # fmt: skip


BEFORE = ((0.6, 0.01), (0.3, 0.01), (20.0, 21.0, 22.0), ([0.5, 0.3, 0.2], [0.01, 0.01, 0.01]))


@pytest.mark.parametrize(
    ("place", "after", "flips"),
    [
        (0, (0.45, 0.02), "not emergent"),
        (0, (0.45, 0.1), ""),  # 0.15, and twice its error is 0.2
        (0, (0.45, 0.07), "not emergent"),  # 0.15, and twice its error is 0.141
        (0, (0.51, 0.001), ""),
        (1, (0.55, 0.02), "sharp"),
        (1, (0.55, 0.15), ""),
        (2, (22.0, 23.0, 24.0), "scale 1.0e21 → 1.0e23"),
        (2, (21.0, 21.9, 24.0), ""),
        (2, (18.0, 19.5, 24.0), "scale 1.0e21 → 3.2e19"),
        (2, (19.0, 20.5, 24.0), ""),
        (2, (20.0, np.inf, np.inf), ""),
        (3, ([0.3, 0.5, 0.2], [0.01, 0.01, 0.01]), "likeliest smooth"),
        (3, ([0.3, 0.5, 0.2], [0.15, 0.01, 0.01]), ""),
        (3, ([0.3, 0.2, 0.5], [0.01, 0.15, 0.15]), "likeliest changepoint"),
    ],
)
def test_flips_of_given_numbers(place, after, flips, curves):
    shapes = [shape(name, [0.0], 0.5) for name in ("flat", "logistic", "step")]
    found = classification(curves.take(slice(1)), shapes)
    assert found.classes == ("flat", "smooth", "changepoint")
    now = [*BEFORE]
    now[place] = after
    change = Change("prior", "change", np.array([0]), answers(*now), found.classes)
    told = Verdicts(found, [change])
    told._before = answers(*BEFORE)
    assert told.table()["flips"].tolist() == [flips]
    row = told.table().iloc[0]
    assert (row["p_emergent"], row["p_sharp"]) == (now[0][0], now[1][0])
    with np.errstate(over="ignore"):
        assert row[["scale_low", "scale", "scale_high"]].tolist() == pytest.approx(
            [10.0**x for x in now[2]]
        )
    summary = told.summary().iloc[0]
    assert summary["p_sharp"] == 0.3
    assert summary["p_sharp_high"] == max(0.3, now[1][0])
