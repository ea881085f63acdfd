"""Units: amounts as people write them ("7B", "2.1 ZFLOP"), and columns that name their unit."""

import re
from collections.abc import Mapping

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.errors import DataError, also, shown
from upturn.tables.cells import Cells, is_missing, number, objects, plain_number

_SIZES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "millions": 1e6, "b": 1e9,
    "bn": 1e9, "g": 1e9, "billion": 1e9, "billions": 1e9, "mio": 1e6, "mrd": 1e9, "t": 1e12,
    "tn": 1e12, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
_PREFIXES = {
    "": 1.0, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24, "r": 1e27,
    "q": 1e30, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24,
}  # fmt: skip
_DAY = 86_400.0
_NOUNS = {
    "params": {"params", "param", "parameters", "parameter"},
    "tokens": {"tokens", "token", "tok", "toks"},
}
_FLOPS = re.compile(r"(?P<prefix>[a-z]*?)[-\s]?f(?:lops?)?(?P<days>(?:/s)?[-\s.·*]?days?)?")
_AMOUNT = re.compile(r"(?P<number>[-+]?[\d.,'\s\u00a0\u2009\u202f]*\d(?:e[-+]?\d+)?)(?P<unit>.*)")
_POWER = re.compile(r"\s*[x×*·]\s*10\s*(?:\^|\*\*)?\s*([-+]?\d+|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")

# Below the first number a value is in another unit, such as billions; above the second one a unit
# was applied twice.
PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "params": (1e4, 1e15),
    "tokens": (1e6, 1e17),
    "flops": (1e12, 1e32),
}
_EXAMPLES = {"params": "7B", "tokens": "300B", "flops": "3e21 or 2.1 ZFLOP"}
_HEADER_UNITS = {"params": "B", "tokens": "B", "flops": "ZFLOP"}
_MANY_BILLIONS = 3_000  # no model has so many billions of parameters: these are millions


def unit(column: str, text: str) -> float | None:
    """What a unit multiplies a number by, or None where it is no unit of that column.

    Examples
    --------
    >>> unit("params", "B"), unit("flops", "ZFLOP"), unit("flops", "PF-days"), unit("params", "kg")
    (1000000000.0, 1e+21, 8.64e+19, None)
    """
    word = " ".join(text.strip().casefold().split())
    if column == "flops":
        match = _FLOPS.fullmatch(word) or _FLOPS.fullmatch(f"{word}f")
        if match is None or match["prefix"] not in _PREFIXES:
            return None
        return _PREFIXES[match["prefix"]] * (_DAY if match["days"] else 1.0)
    first, _, rest = word.partition(" ")
    if first in _NOUNS.get(column, ()) and not rest:
        return 1.0
    if not rest or rest in _NOUNS.get(column, ()):
        return _SIZES.get(first)
    return None


def amount(column: str, text: str) -> float:
    """The number that a text with a unit stands for.

    Raises
    ------
    ValueError
        For a text that is no amount.

    Examples
    --------
    >>> amount("params", "160M"), amount("flops", "3 PF-days"), amount("tokens", "1.5 T tokens")
    (160000000.0, 2.592e+20, 1500000000000.0)
    """
    cleaned = text.strip()
    power = _POWER.search(cleaned)
    if power:
        exponent = int(power[1].translate(_SUPERSCRIPTS))
        cleaned = f"{cleaned[: power.start()]}e{exponent}{cleaned[power.end() :]}"
    match = _AMOUNT.fullmatch(cleaned.casefold())
    if match is None:
        raise ValueError(text)
    factor = unit(column, match["unit"]) if match["unit"].strip() else 1.0
    if factor is None:
        raise ValueError(text)
    return plain_number(match["number"].strip(), grouped=True) * factor


def numbers(cells: Cells, column: str, factor: float = 1.0) -> Floats:
    """The amounts in a column; NaN where there is none.

    Parameters
    ----------
    cells
        As they were given.
    column
        "params", "tokens" or "flops".
    factor
        What the header says that plain numbers are multiplied by.

    Raises
    ------
    DataError
        For a cell that is no amount.
    """
    codes, different = cells.distinct()
    given = np.array([_has_unit(value) for value in different], dtype=np.bool_)[codes]
    if not given.any():
        return number(cells, grouped=True) * factor
    plain = Cells(
        cells.table,
        cells.column,
        objects(
            [None if has_unit else value for value, has_unit in zip(cells.raw, given, strict=True)]
        ),
        cells.rows,
        cells.positions,
    )
    values = number(plain, grouped=True) * factor
    bad = np.zeros(len(values), dtype=np.bool_)
    for index in np.flatnonzero(given):
        try:
            values[index] = amount(column, str(cells.raw[index]))
        except ValueError:
            bad[index] = True
    cells.refuse(bad, "a number", f"write it as {_EXAMPLES[column]}, or leave the cell empty")
    return values


def _has_unit(value: object) -> bool:
    """Whether a cell is text that is neither a plain number nor a missing value."""
    if not isinstance(value, str) or is_missing(value):
        return False
    try:
        plain_number(value, grouped=True)
    except ValueError:
        return True
    return False


def plausible(values: Floats, cells: Cells, column: str) -> Floats:
    """Amounts that can be absolute numbers; 0 is left to other rules.

    Raises
    ------
    DataError
        For numbers in another unit, and for a column of which a part is.
    """
    low, high = PLAUSIBLE[column]
    small, large = (values > 0) & (values < low), values > high
    bad = small | large
    if not bad.any():
        return values
    first = int(np.argmax(bad))
    mixed = 2 * int(bad.sum()) <= int(np.isfinite(values).sum())
    side = f"at least {low:.0e}" if small[first] else f"at most {high:.0e}"
    side = side.replace("e+", "e").replace("e0", "e")
    name = cells.column
    is_million = column == "params" and bool(np.nanmax(values) > _MANY_BILLIONS)
    unit_meant = "M" if is_million else _HEADER_UNITS[column]
    remedy = _remedy(column, name, unit_meant, mixed=mixed)
    raise DataError(
        f"{cells.table}, {cells.row(first)}, column {name}: expected absolute {column}, {side}, "
        f"but got {shown(cells.raw[first])}{also(int(bad.sum()) - 1, 'row')}"
        f"{' in a column that mixes units' if mixed else ''}; {remedy}"
    )


def _remedy(column: str, name: str, unit_meant: str, *, mixed: bool) -> str:
    from shlex import quote

    leave = f"leave the column out by --ignore {quote(name)}"
    if mixed:
        return f"write each cell with its unit, as {_EXAMPLES[column]}, or {leave}"
    option = quote(f"{name}={unit_meant}")
    return f"name the unit of the column, for example --unit {option}, or {leave}"
