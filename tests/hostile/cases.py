"""Cases: files in a folder and a command line. One strategy a kind of input."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

WRITTEN = Path(__file__).parents[1] / "tables" / "readers" / "evaluations"
MODELS = Path(__file__).parents[2] / "models"
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
        "metric", "run", "source", "date", "Task", "scores", "",
    ]
)  # fmt: skip
AXES = ("flops", "params", "perplexity", "tokens", "loss", "date", "size")


def rarely(strategy: st.SearchStrategy[Any], usual: st.SearchStrategy[Any], of: int = 6) -> Any:
    """The first strategy one time in so many, else the second."""
    return st.integers(0, of - 1).flatmap(lambda n: strategy if n == 0 else usual)


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
    if form == "jsonl":
        decoded = [
            {
                key: draw(rarely(JSON, st.just(_json_cell(cell)), 20))
                for key, cell in zip(header, row, strict=False)
            }
            for row in rows
        ]
        text = "".join(json.dumps(record) + "\n" for record in decoded)
    else:
        text = _csv(header, rows, "," if form == "csv" else "\t", draw(st.booleans()))
    encoding = draw(rarely(st.sampled_from(["utf-16", "latin-1", "utf-8-sig"]), st.just("utf-8")))
    data = text.encode(encoding, errors="replace")
    return draw(rarely(damaged(data), st.just(data), 8))


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
NAMES = st.sampled_from(["r.csv", "r.tsv", "r.txt", "r.jsonl", "r.parquet", "r.xlsx", "r", "r.CSV"])


@st.composite
def tables(draw: st.DrawFn) -> Case:
    """A table, and a fit of it."""
    form = draw(st.sampled_from(["csv", "csv", "csv", "tsv", "jsonl"]))
    data = draw(rarely(ANY_BYTES, table_bytes(form), 10))
    name, stdin = draw(rarely(NAMES, st.just(f"r.{form}"))), None
    arguments = ["fit", name, "--model", draw(st.sampled_from(["flat", "flat", "flat", "step"]))]
    if draw(st.integers(0, 9)) == 0:
        arguments[1], stdin = "-", data
    arguments += ["--axis", draw(rarely(TEXTS | st.sampled_from(AXES), st.just("flops")))]
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


# ---- folders of harnesses ------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)

_OLDER = {
    "results": {"t": {"acc": 0.5, "acc_stderr": 0.1, "ppl": 4.0}, "u": {"acc": 0.0}},
    "versions": {"t": 0},
    "config": {"model": "hf", "model_args": "pretrained=a,revision=step10", "num_fewshot": 0},
}

_HARNESS = {
    "older.json": "lm-eval",
    "present.json": "lm-eval",
    "scores_GPT_XL.json": "bigbench",
    "run_spec.json": "helm",
    "stats.json": "helm",
}


@cache
def documents() -> dict[str, Any]:
    """What harnesses wrote, by the name of the file."""
    from upturn.tables.readers import inspect

    logs = sorted((WRITTEN / "inspect").iterdir())
    present = min((WRITTEN / "lm_eval").rglob("results*.json"), key=lambda p: p.stat().st_size)
    scores = next((WRITTEN / "bigbench").rglob("scores_*XL.json"))
    run = WRITTEN / "helm" / "simple_mcqa"
    return {
        "older.json": _OLDER,
        "present.json": json.loads(present.read_bytes()),
        "scores_GPT_XL.json": json.loads(scores.read_bytes()),
        "run_spec.json": json.loads((run / "run_spec.json").read_bytes()),
        "stats.json": json.loads((run / "stats.json").read_bytes())[-12:],
        "log.json": inspect.load(logs[0]),
    }


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """A document of which one part is missing, or something else."""
    if not isinstance(document, (dict, list)) or not document or draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = draw(st.sampled_from(keys))
    copy = document.copy()
    how = draw(st.integers(0, 7))
    if how == 0:
        del copy[key]
    elif how == 1 and isinstance(copy, dict):
        copy[draw(TEXTS)] = copy.pop(key)
    else:
        copy[key] = draw(mutated(copy[key]))
    return copy


@st.composite
def folders(draw: st.DrawFn) -> Case:
    """Results of a harness, one file of them changed."""
    written = documents()
    name = draw(st.sampled_from(list(written)))
    document = written[name]
    for _ in range(draw(st.integers(0, 3))):
        document = draw(mutated(document))
    data = json.dumps(document).encode(errors="replace")
    files = {f"d/{name}": draw(rarely(damaged(data), st.just(data)))}
    for pair in ({"run_spec.json", "stats.json"},):
        for other in pair - {name} if name in pair else ():
            files[f"d/{other}"] = json.dumps(written[other]).encode()
    if draw(st.integers(0, 4)) == 0:
        log = min((WRITTEN / "inspect").glob("*.eval"))
        files = {f"d/{log.name}": draw(damaged(log.read_bytes()))}
    kinds = ["lm-eval", "bigbench", "helm", "inspect"]
    kind = draw(rarely(st.sampled_from(kinds), st.just(_HARNESS.get(name, "inspect"))))
    axis = "step" if name == "older.json" else "params"
    fitted = ("fit", "d", "--axis", axis, "--model", "flat", *CHEAP)
    return Case(
        files, draw(rarely(st.just(fitted), st.just(("convert", kind, "d", "-o", "o.csv"))))
    )


# ---- model files ---------------------------------------------------------------------------------

_PRIOR_NAMES = (
    "changepoint", "floor", "height", "rate", "level", "slope", "midpoint", "width", "intercept",
    "overdispersion", "sigma", "nu", "scatter", "changepoint_2", "rate_2", "nobody",
)  # fmt: skip
_FAMILIES = (
    "Uniform", "Normal", "LogNormal", "HalfNormal", "Exponential", "Gamma", "Beta", "BetaMode",
    "Cauchy", "exec", "__import__",
)  # fmt: skip
_ARGUMENTS = st.sampled_from(
    [
        "0", "1", "-1", "0.5", "2", "10", "1e-9", "1e9", "1e99", "1e101", "1e-320", "nan", "inf",
        "-inf", "1e400", "chance", "a", "'x'", "1+1", "(1)", "[1]", "sd=1", "mean=0", "None", "1j",
    ]
)  # fmt: skip


@st.composite
def priors(draw: st.DrawFn) -> str:
    """The text of a prior, often a wrong one."""
    arguments = draw(st.lists(_ARGUMENTS, max_size=3))
    text = f"{draw(st.sampled_from(_FAMILIES))}({', '.join(arguments)})"
    return str(draw(rarely(TEXTS | st.just("(" * 5000), st.just(text))))


@st.composite
def model_texts(draw: st.DrawFn) -> str:
    """The text of a model file, nearly right."""
    kinds = ["floor", "level", "rise", "ramp", "line", "logistic", "gompertz"]
    lines = [
        f"name = {draw(rarely(JSON.map(json.dumps), st.just('"mine"'), 10))}",
        f'shape = "{draw(rarely(st.just("round"), st.just("changepoint"), 10))}"',
    ]
    likelihoods = ["auto", "beta-binomial", "binomial", "beta", "normal", "student-t", "poisson"]
    if draw(st.booleans()):
        lines += [f'likelihood = "{draw(st.sampled_from(likelihoods))}"']
    if draw(st.integers(0, 3)) == 0:
        lines += [f"range = {draw(st.sampled_from(['"zero"', '"floor"', '"none"', '3']))}"]
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=4)):
        lines += ["[[segments]]", f'kind = "{kind}"']
        if draw(st.integers(0, 4)) == 0:
            option = draw(st.sampled_from(["joined", "falling", "mirrored", "link", "up", "x"]))
            lines += [f"{option} = {draw(st.sampled_from(['true', 'false', '"logit"', '1']))}"]
    if given := draw(st.lists(st.sampled_from(_PRIOR_NAMES), max_size=3)):
        lines += ["[priors]"]
        lines += [f"{name} = {json.dumps(draw(priors()))}" for name in given]
    return "\n".join(lines) + "\n"


@st.composite
def models(draw: st.DrawFn) -> Case:
    """A model file, printed; now and then one that is right is fitted too."""
    built_in = [path.read_bytes() for path in sorted(MODELS.glob("*.toml"))]
    data = draw(
        model_texts().map(lambda text: text.encode(errors="replace"))
        | st.sampled_from(built_in).flatmap(damaged)
        | rarely(ANY_BYTES, model_texts().map(str.encode), 3)
    )
    files = {"m.toml": data, "r.csv": GOOD_TABLE}
    show: tuple[str, ...] = ("models", "./m.toml")
    fitted = ("fit", "r.csv", "--model", "m.toml", *CHEAP)
    return Case(files, draw(rarely(st.just(fitted), st.just(show), 25)))


GOOD_TABLE = b"task,model,score,trials,flops,params\n" + b"".join(
    b"t,m%d,%.2f,50,%.3g,%.3g\n" % (i, score, 10.0 ** (20 + i), 10.0 ** (8 + i / 2))
    for i, score in enumerate([0.02, 0.0, 0.04, 0.5, 0.9])
)


# ---- command lines -------------------------------------------------------------------------------


def values(kind: Any) -> st.SearchStrategy[str]:
    """What is typed after an option."""
    choices = getattr(kind, "choices", None)
    usual = [st.sampled_from([str(c) for c in choices])] if choices else []
    numbers = st.sampled_from(["-1", "0", "1", "40", "41", "0.5", "1e9", "nan", "inf", "9" * 30])
    names = st.sampled_from(
        ["r.csv", "none.csv", "hinge", "flat", "acc", "flops", "params", "mix:flops,params", "task",
         "setting=cot", "task=t", "o.json", "o.nc", "no/o.json", "rate=Uniform(0, 1)", "family"]
    )  # fmt: skip
    return st.one_of(*usual, numbers, names, TEXTS.filter(lambda text: len(text) < 100))


@st.composite
def command_lines(draw: st.DrawFn) -> Case:
    """A command with options of its own and of others, in any order, with any values.

    The table of a command that may take long is one that it refuses.
    """
    from upturn import cli

    commands = cli.main.commands
    name = draw(rarely(TEXTS, st.sampled_from(sorted(commands)), 15))
    table = "r.csv" if name == "fit" else draw(st.sampled_from(["none.csv", "bad.csv", "gpt4", ""]))
    arguments = [name, *draw(rarely(st.lists(TEXTS, max_size=2), st.just([table])))]
    if name == "fit":
        arguments += [*CHEAP, "--model", "flat"]
    options = [
        p for p in getattr(commands.get(name), "params", []) if p.param_type_name == "option"
    ]
    for _ in range(draw(st.integers(0, 4))):
        if not options or draw(st.integers(0, 9)) == 0:
            arguments += draw(st.lists(TEXTS | st.just("--verbose"), max_size=2))
            continue
        option = draw(st.sampled_from(options))
        if "--draws" in option.opts or "--threads" in option.opts:
            arguments += [
                option.opts[0],
                draw(st.sampled_from(["-1", "0", "39", "x", "40", "1e3"])),
            ]
            continue
        arguments.append(draw(st.sampled_from(option.opts)))
        if not option.is_flag:
            arguments.append(draw(values(option.type)))
    if name == "datasets":
        arguments = [a for a in arguments if a != ""]
    return Case({"r.csv": GOOD_TABLE, "bad.csv": b"task,model\nt,m\n"}, tuple(arguments))


# ---- saved fits ----------------------------------------------------------------------------------


@cache
def saved() -> dict[str, dict[str, bytes]]:
    """A saved fit of each format: its files."""
    import tempfile

    import upturn

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "r.csv")
        table.write_bytes(GOOD_TABLE)
        fit = upturn.fit(table, model="flat", draws=40, threads=1)
        found = {}
        for name in ("f.nc", "f.zarr"):
            path = Path(folder, name)
            fit.save(path)
            files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            found[name] = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(files)}
    return found


@st.composite
def fits(draw: st.DrawFn) -> Case:
    """A saved fit of which some bytes, some JSON or a whole file is another."""
    name = draw(st.sampled_from(["f.nc", "f.zarr"]))
    files = dict(saved()[name])
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(sorted(files)))
        if place.endswith(".json") and draw(st.booleans()):
            files[place] = json.dumps(draw(mutated(json.loads(saved()[name][place])))).encode()
        elif name == "f.zarr" and len(files) > 2 and draw(st.integers(0, 4)) == 0:
            del files[place]
        else:
            files[place] = draw(rarely(ANY_BYTES, damaged(files[place])))
    shown = ["summary", name, "--format", draw(st.sampled_from(["json", "table", "csv"]))]
    return Case(files, (*shown, *draw(st.sampled_from([(), ("-o", "o.json"), ("-o", "o.nc")]))))


KINDS: dict[str, st.SearchStrategy[Case]] = {
    "tables": tables(),
    "side tables": side_tables(),
    "folders": folders(),
    "models": models(),
    "command lines": command_lines(),
    "saved fits": fits(),
}
