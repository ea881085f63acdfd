"""Which curves are shown, and in which order."""

import numpy as np
import pytest

from upturn.checks.errors import DataError
from upturn.commandline.selection_options import SORTS as OFFERED
from upturn.posterior.outcomes import VERDICTS
from upturn.posterior.selection import SORTS, selected, verdict_named

VERDICTS_OF = ["not yet", "emerges", "falls", "emerges"]
X = np.array([np.inf, 22.0, -np.inf, 21.0])
NAMES = ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("table", [0, 1, 2, 3]),
        ("verdict", [3, 1, 2, 0]),
        ("scale", [2, 3, 1, 0]),
        ("name", [3, 2, 1, 0]),
    ],
)
def test_orders(sort, expected):
    assert selected(VERDICTS_OF, X, NAMES, sort=sort).tolist() == expected


def test_only_some_verdicts():
    assert selected(VERDICTS_OF, X, NAMES, only="emerges").tolist() == [1, 3]
    assert selected(VERDICTS_OF, X, NAMES, only=["not-yet", "Falls"]).tolist() == [0, 2]
    assert selected(VERDICTS_OF, X, NAMES, only="u-shaped").tolist() == []


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_can_be_typed(verdict):
    assert verdict_named(verdict) == verdict_named(verdict.lower().replace(" ", "-")) == verdict


@pytest.mark.parametrize("text", ["", "n", "grow older", "emergent"])
def test_other_words_are_refused(text):
    with pytest.raises(DataError, match="only: expected a known verdict, but got"):
        verdict_named(text)


def test_other_kinds_and_orders_are_refused():
    with pytest.raises(DataError, match="only: expected the name of a verdict, but got 3"):
        verdict_named(3)
    with pytest.raises(DataError, match="sort: expected a known order, but got 'p'"):
        selected(VERDICTS_OF, X, NAMES, sort="p")


def test_the_command_line_offers_every_order():
    assert OFFERED == SORTS
