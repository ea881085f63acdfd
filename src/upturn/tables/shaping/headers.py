"""Headers: common names of the schema's columns, in any case, with units in them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from upturn.checks.errors import listed
from upturn.tables.units import PLAUSIBLE, unit

# In order of preference.
SYNONYMS: Mapping[str, Sequence[str]] = {
    "task": (
        "task_name", "benchmark", "benchmark_name", "dataset", "dataset_name", "eval", "eval_name",
        "evaluation", "task_id",
    ),
    "model": (
        "model_name", "model_id", "model_version", "model_name_or_path", "full_model_name", "llm",
        "language_model", "fullname", "full_name", "name", "run_name",
    ),
    "score": (
        "accuracy", "acc", "mean_score", "score_headline_value", "score_mean", "score_value",
        "mean_accuracy", "value", "metric_value", "score_binarized", "result", "correct",
        "is_correct", "mean",
    ),
    "successes": ("num_correct", "n_correct", "num_successes", "n_successes", "num_passed"),
    "trials": (
        "n", "num_samples", "n_samples", "num_examples", "n_examples", "num_questions",
        "n_questions", "completed_samples", "sample_count", "sample_size", "num_trials",
    ),
    "stderr": (
        "std_err", "stderror", "standard_error", "score_stderr", "acc_stderr", "accuracy_stderr",
        "score_headline_stderr", "mean_score_stderr", "se", "sem", "acc_stderr_none",
    ),
    "chance": ("chance_level", "random_baseline", "random_chance", "random_guess"),
    "metric": ("metric_name", "score_headline_metric", "measure"),
    "shots": ("num_fewshot", "n_shot", "n_shots", "num_shots", "fewshot", "few_shot"),
    "family": ("model_family",),
    "params": (
        "parameters", "n_params", "num_params", "n_parameters", "num_parameters", "param_count",
        "parameter_count", "model_params", "model_parameters", "model_size", "size",
    ),
    "tokens": (
        "n_tokens", "num_tokens", "training_tokens", "train_tokens", "tokens_seen",
        "tokens_trained",
    ),
    "flops": (
        "flop", "training_compute", "train_compute", "compute", "training_flops", "training_flop",
        "train_flops", "total_flops", "training_compute_flop",
    ),
    "perplexity": ("ppl",),
}  # fmt: skip
_DATES = (
    "date", "release_date", "released", "publication_date", "release", "model_release_date",
)  # fmt: skip
# Beside one of the second, one of the first is a number of right answers.
_COUNTS, _TOTALS = (
    {"correct", "right", "passed", "solved"},
    {"total", "out_of", "attempted", "asked"},
)
_IN_BRACKETS = re.compile(r"(?P<name>.*?)\s*[(\[](?P<unit>[^)\]]*)[)\]]\s*")
IN_PER_CENT = re.compile(r"\s*[(\[]\s*(?:in\s*)?(?:%|per\s?cent|percent)\s*[)\]]", re.I)
_SUFFIXED = re.compile(
    r"(?P<name>.*?)[_\s](?:in[_\s])?(?P<unit>[KMBTkmbt]|[mb]illions?|[a-zA-Z]*FLOPs?|PF-?days?)"
)


def normal(name: str) -> str:
    """A header without case, punctuation and spaces: "Release date" is "release_date"."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


@dataclass(frozen=True)
class Header:
    """What a header of a table means: a column of the schema, and the unit of its numbers."""

    given: str
    column: str
    factor: float | None = None  # None: the header names no unit


def meaning(name: str) -> tuple[str, int, float | None] | None:
    """The schema's column that a header means, how far down its list it is, and its unit."""
    plain = _rank(name)
    if plain is not None:
        return (*plain, None)
    for pattern in (_IN_BRACKETS, _SUFFIXED):
        match = pattern.fullmatch(name)
        ranked = _rank(match["name"]) if match else None
        if match and ranked and ranked[0] in PLAUSIBLE:
            factor = unit(ranked[0], match["unit"])
            if factor is not None:
                return (*ranked, factor)
    factor = unit("flops", name) if re.search(r"days?$", name.casefold()) else None
    return None if factor is None else ("flops", len(SYNONYMS["flops"]), factor)


def _rank(name: str) -> tuple[str, int] | None:
    word = normal(name)
    for column, synonyms in SYNONYMS.items():
        if word in (column, *synonyms):
            return column, (column, *synonyms).index(word)
    return None


def meant(names: Sequence[str]) -> list[Header]:
    """Which columns of the schema a table has under other names.

    Parameters
    ----------
    names
        The table's columns. One that has a name of the schema keeps it; of several that mean the
        same the most common name is taken.
    """
    ranked: dict[str, tuple[int, Header]] = {}
    for name in names:
        what = meaning(name)
        if what is None or (name == what[0]) or what[0] in names:
            continue
        column, rank, factor = what
        if column == "trials" and name in {"n", "num_samples"}:
            continue  # the schema's own aliases
        if column not in ranked or rank < ranked[column][0]:
            ranked[column] = (rank, Header(name, column, factor))
    if {"n", "num_samples"} & set(names):
        ranked.pop("trials", None)
    if "successes" in names:
        ranked.pop("score", None)
    of = next((name for name in names if normal(name) in _TOTALS), None)
    counts = "score" in ranked and normal(ranked["score"][1].given) in _COUNTS
    if of is not None and (counts or "successes" in {*ranked, *names}) and "trials" not in names:
        ranked["trials"] = (0, Header(of, "trials"))
        if counts:
            ranked["successes"] = (0, Header(ranked.pop("score")[1].given, "successes"))
    return [header for _, header in ranked.values()]


def resolve(name: str, names: Iterable[str]) -> str | None:
    """The column that a person means by a name, where there is one only.

    Examples
    --------
    >>> resolve("date", ["Release date", "score"]), resolve("compute", ["flops"])
    ('Release date', 'flops')
    """
    present = list(names)
    if name in present:
        return name
    word = normal(name)
    same = [column for column in present if normal(column) == word]
    what = meaning(name)
    if not same and what is not None:
        meanings = {column: meaning(column) for column in present}
        same = [c for c, m in meanings.items() if m is not None and m[0] == what[0]]
    if not same and word in _DATES:
        same = [column for column in present if normal(column) in _DATES]
    return same[0] if len(same) == 1 else None


def renaming_notes(headers: Sequence[Header]) -> list[str]:
    """One note about all columns that were taken under another name."""
    pairs = [f"{header.given} → {header.column}" for header in headers]
    return [f"columns taken as: {', '.join(pairs)}"] if pairs else []


def missing(names: Sequence[str], given: Sequence[str]) -> str:
    """The columns that are missing, as a message lists them."""
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}, but got {listed(given)}"
