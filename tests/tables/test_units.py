"""Units: amounts as people write them, and columns whose unit cannot be believed."""

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.units import PLAUSIBLE, amount

SIZES = np.array([7e7, 1.6e8, 4.1e8, 1.4e9, 2.8e9, 6.9e9, 1.2e10, 7e10])
SCALE = {"params": SIZES, "tokens": SIZES * 20, "flops": 120 * SIZES**2}
UNITS = {
    "params": {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12},
    "tokens": {"M": 1e6, "B": 1e9, "T": 1e12},
    "flops": {"PFLOP": 1e15, "EFLOP": 1e18, "ZFLOP": 1e21, "YFLOP": 1e24},
}


def table(**columns):
    models = [f"m{i}" for i in range(len(SIZES))]
    return pd.DataFrame({"task": "t", "model": models, "score": 0.5} | columns)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("params", "7B", 7e9),
        ("params", "160M", 1.6e8),
        ("params", "70,000,000", 7e7),
        ("params", "7 billion parameters", 7e9),
        ("tokens", "1.5T", 1.5e12),
        ("tokens", "300B tokens", 3e11),
        ("flops", "3e23", 3e23),
        ("flops", "3 × 10^23", 3e23),
        ("flops", "2.1 ZFLOP", 2.1e21),
        ("flops", "3,640 PF-days", 3640 * 8.64e19),
    ],
)
def test_amounts(column, text, value):
    assert amount(column, text) == pytest.approx(value, rel=1e-12)
    assert upturn.read(table(**{column: text}), facts="none").frame[column][0] == amount(
        column, text
    )


@pytest.mark.parametrize("text", ["8x7B", "~7B", "7Q", "seven", "7 km", "1_000"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        amount("params", text)
    with pytest.raises(DataError, match=r"row 0 .*column params: expected a number, but got"):
        upturn.read(table(params=text))


@pytest.mark.parametrize(
    ("header", "column", "factor"),
    [
        ("params (B)", "params", 1e9),
        ("Parameters [M]", "params", 1e6),
        ("params_B", "params", 1e9),
        ("Training compute (FLOP)", "flops", 1),
        ("PF-days", "flops", 8.64e19),
        ("tokens (T)", "tokens", 1e12),
    ],
)
def test_units_in_a_header(header, column, factor):
    results = upturn.read(table(**{header: SCALE[column] / factor}), facts="none")
    np.testing.assert_allclose(results.frame[column], SCALE[column])
    assert f"columns taken as: {header} → {column}" in results.notes


def test_a_unit_on_the_command_line():
    results = upturn.read(table(size=SIZES / 1e9), units={"size": "B"})
    np.testing.assert_allclose(results.frame["params"], SIZES)
    with pytest.raises(DataError, match=r"--unit params=B, or leave the column out by --ignore"):
        upturn.read(table(size=SIZES / 1e9), facts="none")
    again = upturn.read(table(size=SIZES / 1e9), units={"params": "B"}, facts="none").frame
    np.testing.assert_allclose(again["params"], SIZES)
    assert "params" not in upturn.read(table(size=SIZES / 1e9), ignore="size", facts="none").frame


def written(generator, column):
    """A column of which some cells are in another unit than the rest, none of them with it."""
    unit = generator.choice(list(UNITS[column].values()))
    other = generator.random(len(SIZES)) < generator.uniform(0.1, 0.9)
    other[generator.integers(len(SIZES))] = True
    other &= SCALE[column] / unit < PLAUSIBLE[column][0]
    return np.where(other, SCALE[column] / unit, SCALE[column]), other


@pytest.mark.parametrize("seed", range(200))
def test_no_unit_is_believed_in_a_column_that_mixes_them(seed):
    """Every generated column has a cell below the least that can be absolute, and is refused."""
    generator = np.random.default_rng(seed)
    column = str(generator.choice(list(UNITS)))
    values, other = written(generator, column)
    spelled = generator.random(len(values)) < 0.3  # some of the right cells name their unit
    cells = [
        f"{v:.6g}" if o or not s else f"{v / 1e9:.9g}{'G' if column == 'flops' else 'B'}"
        for v, o, s in zip(values, other, spelled, strict=True)
    ]
    if not other.any():
        np.testing.assert_allclose(
            upturn.read(table(**{column: cells}), facts="none").frame[column],
            SCALE[column],
            rtol=1e-5,
        )
        return
    with pytest.raises(DataError, match=rf"column {column}: expected absolute {column}, at least"):
        upturn.read(table(**{column: cells}), facts="none")


def test_a_unit_applied_twice_is_refused():
    with pytest.raises(DataError, match="expected absolute params, at most 1e15"):
        upturn.read(table(**{"params (B)": SIZES}), facts="none")


def test_untrained_checkpoints_keep_their_zero():
    frame = upturn.read(table(tokens=[0, *SCALE["tokens"][1:]]), facts="none").frame
    assert frame["tokens"][0] == 0
