"""Cases: files in a folder and a command line. One strategy a kind of input."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.hostile.tables import (
    ANY_BYTES,
    CHEAP,
    JSON,
    TEXTS,
    Case,
    damaged,
    rarely,
    side_tables,
    tables,
)

WRITTEN = Path(__file__).parents[1] / "tables" / "readers" / "evaluations"
MODELS = Path(__file__).parents[2] / "models"


# ---- folders of harnesses ------------------------------------------------------------------------

_OLDER = {
    "results": {"t": {"acc": 0.5, "acc_stderr": 0.1, "ppl": 4.0}, "u": {"acc": 0.0}},
    "versions": {"t": 0},
    "config": {"model": "hf", "model_args": "pretrained=a,revision=step10", "num_fewshot": 0},
}

_SUMMARY = """dataset,version,metric,mode,m-1b,m-7b
mmlu_anatomy,2fb5f7,accuracy,ppl,22.22,48.15
gsm8k,1d7fe4,accuracy,gen,82.00 (41/50),-
mmlu,-,naive_average,ppl,22.22,48.15
"""
_HARNESS = {
    "summary_1.csv": "opencompass",
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
        "summary_1.csv": _SUMMARY,
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
    if name == "summary_1.csv":
        files = {f"d/{name}": draw(damaged(document.encode()))}
    else:
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
    kinds = ["lm-eval", "bigbench", "helm", "inspect", "inspect-answers", "opencompass"]
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


# what keeps commands short that do something without a good table
_SHORT = {
    "fit": [*CHEAP, "--model", "flat"],
    "calibrate": [*CHEAP, "--simulations", "20"],
    "plan": ["--tasks", "20", "--n-models", "4"],
}


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
    arguments += _SHORT.get(name, [])
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
