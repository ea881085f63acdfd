"""Cases of tables: what may stand in a cell, and the tables and command lines that hold it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

CHEAP = ["--draws", "40", "--threads", "1"]


@dataclass(frozen=True)
class Case:
    """Files by name (a path in the folder), and what is typed there."""

    files: Mapping[str, bytes] = field(repr=False)
    arguments: tuple[str, ...]
    stdin: bytes | None = None

    def __repr__(self) -> str:
        shown = {name: data[:2000] for name, data in self.files.items()}
        return f"Case(files={shown!r}, arguments={self.arguments!r}, stdin={self.stdin!r})"


# ---- words ---------------------------------------------------------------------------------------

ODD_TEXTS = st.sampled_from(
    [
        "", " ", "nan", "NaN", "inf", "-inf", "NA", "null", "None", "1e400", "-1", "0", "-0.0",
        "1_0", "1e-320", "٣", "½", "1,5", "50%", "0x10", "True", "=1+1", "+cmd|' /C calc'!A0", "@x",
        "'=x", "a\nb", "a\rb", 'a"b', "a,b", "a\tb", "\x00", "\x1b[31m", "\ufeff", "\u202e", "🎉",
        "é", "-", "x" * 300, "../x", "/", "~", "a|b", "<b>", "9" * 400, "1e308", "5e-324",
        "2020-02-30",
    ]
)  # fmt: skip
TEXTS = ODD_TEXTS | st.text(max_size=12)
NUMBERS = (
    st.floats(allow_nan=True, allow_infinity=True).map(repr)
    | st.integers().map(str)
    | st.integers(-(10**30), 10**30).map(str)
)
HEADERS = st.sampled_from(
    [
        "task", "model", "score", "successes", "trials", "n", "num_samples", "stderr", "chance",
        "ceiling", "flops", "params", "perplexity", "tokens", "loss", "family", "setting", "shots",
        "metric", "run", "source", "date", "Task", "scores", "", "accuracy", "Params (B)",
        "correct", "total", "seed", "question", "cluster", "acc_stderr,none", "results",
        "Compute (ZFLOP)",
    ]
)  # fmt: skip
AXES = ("flops", "params", "perplexity", "tokens", "loss", "date", "size")


def rarely(strategy: st.SearchStrategy[Any], usual: st.SearchStrategy[Any], of: int = 6) -> Any:
    """The first strategy one time in so many, else the second."""
    return st.integers(0, of - 1).flatmap(lambda n: strategy if n == 0 else usual)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


# ---- tables --------------------------------------------------------------------------------------


@st.composite
def plausible_rows(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A small table that is nearly right."""
    header = ["task", "model", "score", "flops"]
    optional = ["trials", "params", "perplexity", "family", "metric", "run", "stderr", "chance"]
    header += draw(st.lists(st.sampled_from(optional), max_size=3, unique=True))
    models = draw(st.integers(1, 6))
    columns = {
        "task": st.sampled_from(["t", "t", "u"]),
        "score": st.floats(0, 1).map(lambda x: f"{x:.3g}"),
        "flops": st.floats(1e18, 1e25).map(lambda x: f"{x:.3g}"),
        "params": st.integers(10**6, 10**12).map(str),
        "perplexity": st.floats(1, 100).map(repr),
        "trials": st.integers(1, 10**4).map(str),
        "family": st.sampled_from(["f", "g", ""]),
        "run": st.sampled_from(["r", "s", ""]),
        "metric": st.sampled_from(["acc", "brier", "bleu"]),
        "stderr": st.floats(0, 0.5).map(lambda x: f"{x:.2g}"),
        "chance": st.just("0.25"),
    }
    rows = [[f"m{i}" if c == "model" else draw(columns[c]) for c in header] for i in range(models)]
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        row, column = draw(st.integers(0, models - 1)), draw(st.integers(0, len(header) - 1))
        rows[row][column] = draw(TEXTS | NUMBERS)
    return header, rows


@st.composite
def odd_rows(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A table with anything in it, rows of any length."""
    header = draw(st.lists(HEADERS | TEXTS, max_size=7))
    cells = TEXTS | NUMBERS
    width = st.lists(cells, min_size=len(header), max_size=len(header))
    return header, draw(st.lists(rarely(st.lists(cells, max_size=8), width), max_size=6))


def _csv(header: list[str], rows: list[list[str]], delimiter: str, quote: bool) -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote else text

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in [header, *rows])


@st.composite
def table_bytes(draw: st.DrawFn, form: str) -> bytes:
    """A table as a file holds it: CSV, TSV or JSON lines, in good or bad bytes."""
    header, rows = draw(rarely(odd_rows(), plausible_rows(), 4))
    if form in _MARKS:
        text = _csv(header, rows, _MARKS[form], draw(st.booleans()))
    else:
        decoded = [
            {
                key: draw(rarely(JSON, st.just(_json_cell(cell)), 20))
                for key, cell in zip(header, row, strict=False)
            }
            for row in rows
        ]
        lines = "".join(json.dumps(record) + "\n" for record in decoded)
        text = lines if form == "jsonl" else json.dumps(draw(st.sampled_from(_layouts(decoded))))
    encoding = draw(rarely(st.sampled_from(["utf-16", "latin-1", "utf-8-sig"]), st.just("utf-8")))
    data = text.encode(encoding, errors="replace")
    return draw(rarely(damaged(data), st.just(data), 8))


_MARKS = {"csv": ",", "tsv": "\t", "txt": ";", "md": "|"}


def _layouts(records: list[dict[str, Any]]) -> list[Any]:
    """The layouts in which a table may stand in JSON."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    return [
        records,
        {"data": records},
        {key: [record.get(key) for record in records] for key in keys},
        {"columns": keys, "data": [[record.get(key) for key in keys] for record in records]},
        {str(record.get("model")): record for record in records},
        {str(r.get("model")): {str(r.get("task")): r.get("score")} for r in records},
    ]


@cache
def workbook() -> bytes:
    """A good table in a workbook."""
    import pandas as pd

    rows = {
        "task": "t",
        "model": ["a", "b", "c"],
        "score": [0.1, 0.2, 0.5],
        "flops": [1e20, 1e21, 1e22],
    }
    file = io.BytesIO()
    pd.DataFrame(rows).to_excel(file, index=False)
    return file.getvalue()


def _json_cell(cell: str) -> Any:
    try:
        return float(cell) if len(cell) < 30 else cell
    except ValueError:
        return cell


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes of which some were cut off, changed or repeated."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(found) - 1, 0)))
        length = draw(st.sampled_from([1, 1, 2, 8, 64]))
        how = draw(st.sampled_from(["cut", "change", "remove", "repeat", "zero"]))
        part = bytes(found[place : place + length])
        if how == "cut":
            del found[place:]
        elif how == "change":
            found[place : place + length] = draw(st.binary(min_size=1, max_size=length))
        elif how == "remove":
            del found[place : place + length]
        elif how == "repeat":
            found[place:place] = part * 3
        else:
            found[place : place + length] = bytes(len(part))
    return bytes(found)


ANY_BYTES = st.binary(max_size=300)
NAMES = st.sampled_from(
    ["r.csv", "r.tsv", "r.txt", "r.jsonl", "r.parquet", "r.xlsx", "r", "r.CSV", "r.json"]
)


_SHAPING = st.sampled_from(
    [
        ["--wide"], ["--percent", "all"], ["--percent", "acc"], ["--repeats", "pool"], ["--groups"],
        ["--repeats", "latest"], ["--repeats", "mean"], ["--ignore", "flops"], ["--ignore", "x"],
        ["--column", "model=model+task"], ["--column", "task=family"], ["--unit", "params=B"],
        ["--where", "task=t"], ["--metric", "acc"], ["--facts", "none"],
    ]
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> Case:
    """A table, and a fit of it."""
    form = draw(st.sampled_from(["csv", "csv", "csv", "tsv", "txt", "md", "jsonl", "json", "xlsx"]))
    good = st.just(workbook()) | damaged(workbook()) if form == "xlsx" else table_bytes(form)
    data = draw(rarely(ANY_BYTES, good, 10))
    name, stdin = draw(rarely(NAMES, st.just(f"r.{form}"))), None
    arguments = ["fit", name, "--model", draw(st.sampled_from(["flat", "flat", "flat", "step"]))]
    if draw(st.integers(0, 9)) == 0:
        arguments[1], stdin = "-", data
    arguments += ["--axis", draw(rarely(TEXTS | st.sampled_from(AXES), st.just("flops")))]
    arguments += [word for option in draw(st.lists(_SHAPING, max_size=2)) for word in option]
    if draw(st.booleans()):
        form = draw(st.sampled_from(["json", "csv", "markdown", "table"]))
        arguments += ["--format", form, "-o", draw(st.sampled_from(["o.csv", "o.md", "o.json"]))]
    return Case({name: data}, (*arguments, *CHEAP), stdin)


@st.composite
def side_tables(draw: st.DrawFn) -> Case:
    """A good table, and any table of models beside it."""
    good = b"task,model,score\n" + b"".join(b"t,m%d,0.%d\n" % (i, i) for i in range(5))
    data = draw(table_bytes("csv"))
    arguments = ("fit", "r.csv", "--facts", "m.csv", "--model", "flat", *CHEAP)
    return Case({"r.csv": good, "m.csv": data}, arguments)
