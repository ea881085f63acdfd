"""Facts about models: many tables under many spellings to one row a model."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from upturn.tables.facts.names import canonical, params_in

FOLDER = Path(__file__).parent
COLUMNS = ("family", "params", "tokens", "flops", "date")
FIGURES = ("params", "tokens", "flops")
LEAST = {"params": 1e4, "tokens": 1e6, "flops": 1e12}  # what upturn takes for absolute units
MOST_TOKENS = 1e14  # more than any model was trained on: probably a wrong unit
SIZE_IN_NAME = 0.45  # how far parameters may be from the size that the name states
AGREE = 0.01  # figures that differ by less are one figure, rounded
SIX_N_D = (
    1.5  # how far a data set's size may be from FLOPs / 6 × parameters to be tokens trained on
)

EPOCH = "Epoch AI"
RUAN = "Ruan et al. 2024"
POLO = "Maia Polo et al. 2024"
WEI = "Wei et al. 2022"
BROWN = "Brown et al. 2020"
CHUNG = "Chung et al. 2022"
TAY = "Tay et al. 2022"
METR = "METR"
BY_NAME = "siblings"

# Names of the catalogue that people give to models of their own.
GENERIC = {"Transformer", "LSTM", "QRNN", "S4", "CoRe", "ISS", "PLUG", "Unicorn", "Switch", "GNMT"}

# The nearest to a model's makers wins: first what they published, then papers that compiled figures
# in one way for many models, last a catalogue. The catalogue's dates come first: others have none.
ORDER = (BROWN, WEI, CHUNG, TAY, RUAN, POLO, EPOCH, METR)


@dataclass(frozen=True)
class Claim:
    """One figure of one model, and who says so."""

    value: float | str
    source: str
    name: str


@dataclass
class Record:
    """What is said of one model."""

    names: list[str] = field(default_factory=list)
    claims: dict[str, list[Claim]] = field(default_factory=dict)

    def add(self, name: str, column: str, value: float | str, source: str) -> None:
        if name not in self.names:
            self.names.append(name)
        if value not in {"", None} and not (isinstance(value, float) and math.isnan(value)):
            self.claims.setdefault(column, []).append(Claim(value, source, name))


@dataclass(frozen=True)
class Conflict:
    """A figure that was not taken, and why."""

    model: str
    column: str
    taken: float | str
    source: str
    left_out: float | str
    left_out_source: str
    reason: str


class Registry:
    """Models by their canonical names."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.conflicts: list[Conflict] = []

    def of(self, name: str) -> Record:
        return self.records.setdefault(canonical(name), Record())

    def add_table(self, table: pd.DataFrame, source: str) -> None:
        """The facts of a table with a column ``model``, all of one source."""
        for row in table.to_dict("records"):
            record = self.of(str(row["model"]))
            for column in COLUMNS:
                value = row.get(column, "")
                record.add(str(row["model"]), column, value, source)


def registry(data: Path) -> Registry:
    """Everything that the tables say.

    Parameters
    ----------
    data
        The folder of tables.
    """
    results = Registry()
    _published(results)
    results.add_table(_gpt3(data), BROWN)
    results.add_table(_wei(data), WEI)
    listed = pd.read_csv(data / "model_registry.csv").replace({math.nan: ""})
    for source, says in _SOURCES.items():
        results.add_table(listed[listed["source"].str.startswith(says)], source)
    catalogue = listed[listed["source"].str.startswith("Epoch")]
    _epoch(results, catalogue[~catalogue["model"].isin(GENERIC)])
    dates = pd.read_csv(data / "metr_score_by_date.csv")[["model", "date"]].dropna()
    dates["model"] = dates["model"].str.replace(r"_(16K|medium)$", "", regex=True)
    results.add_table(dates, METR)
    return results


_SOURCES = {CHUNG: "Chung", TAY: "Tay", RUAN: "Ruan", POLO: "Maia Polo"}


def _gpt3(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "gpt3.csv").drop_duplicates("model")


def _wei(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "wei2022_models.csv").rename(columns={"train_flops": "flops"})
    table = table[table["family"] != "GPT-3"]  # these repeat Brown et al.
    return table.assign(model=table["family"] + " " + table["model"])


def _published(results: Registry) -> None:
    """What the makers of a model published, and of its tuned versions."""
    table = pd.read_csv(FOLDER / "published.csv", dtype={"also": str, "date": str})
    for row in table.replace({math.nan: ""}).to_dict("records"):
        for name in filter(None, (row["model"], row["also"])):
            for column in COLUMNS:
                results.of(name).add(name, column, row[column], row["source"])


def _epoch(results: Registry, table: pd.DataFrame) -> None:
    """A catalogue's rows: no guesses, and tokens only where they were trained on.

    Its column of tokens is the size of a data set. Where that and the parameters do not give the
    FLOPs, the set was seen in part, several times, or for tuning, or the model is a mixture.
    """
    for row in table.to_dict("records"):
        name, guessed = str(row["model"]), row["confidence"] == "Speculative"
        for column in COLUMNS:
            value = row[column]
            reason = ""
            if column in FIGURES and value != "" and guessed:
                reason = "called speculative"
            elif column == "tokens" and value != "" and not _trained_on(row):
                reason = "size of a data set, which parameters and FLOPs do not confirm"
            if reason:
                results.conflicts.append(Conflict(name, column, "", "", value, EPOCH, reason))
            else:
                results.of(name).add(name, column, value, EPOCH)


def _trained_on(row: dict[str, float]) -> bool:
    params, tokens, flops = (row[column] for column in FIGURES)
    if "" in {params, flops}:
        return False  # nothing to check it against
    return 1 / SIX_N_D < 6 * params * tokens / flops < SIX_N_D


@dataclass
class Model:
    """One row of the table."""

    name: str
    values: dict[str, float | str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def resolve(results: Registry) -> tuple[list[Model], list[Conflict]]:
    """One row a model, and every figure that was not taken.

    Corrections come before all sources. Else the first of `ORDER` that has a figure wins, and one
    of another source that differs by more than a hundredth is listed.
    """
    corrections = _corrections()
    conflicts = list(results.conflicts)
    models = []
    for key, record in results.records.items():
        model = Model(_shown_name(record))
        for column in COLUMNS:
            _take(model, record, column, corrections.get((key, column)), conflicts)
        models.append(model)
    _families(models)
    kept = [model for model in models if set(model.values) & {*FIGURES, "date"}]
    return sorted(kept, key=lambda m: m.name.rpartition("/")[2].casefold()), conflicts


def _take(
    model: Model,
    record: Record,
    column: str,
    correction: "Correction | None",
    conflicts: list[Conflict],
) -> None:
    """One figure of a model, and what is listed beside it."""
    claims = sorted(record.claims.get(column, ()), key=_rank(column))
    reasons = [_impossible(column, claim) for claim in claims]
    possible = [claim for claim, reason in zip(claims, reasons, strict=True) if not reason]
    taken = correction.claim if correction else next(iter(possible), None)
    if taken and taken.value != "":
        model.values[column], model.sources[column] = taken.value, taken.source
    shown = taken or Claim("", "", model.name)
    listed = set()
    for claim, reason in zip(claims, reasons, strict=True):
        said = (claim.value, claim.source)
        if claim is taken or said in listed or _same(column, shown.value, claim.value):
            continue
        listed.add(said)
        why = correction.reason if correction else reason or "another source comes first"
        conflicts.append(Conflict(model.name, column, shown.value, shown.source, *said, why))


@dataclass(frozen=True)
class Correction:
    """A figure that is put right."""

    claim: Claim
    reason: str


def _corrections() -> dict[tuple[str, str], Correction]:
    table = pd.read_csv(FOLDER / "corrections.csv", dtype={"source": str})
    rows = table.replace({math.nan: ""}).to_dict("records")
    return {
        (canonical(row["model"]), row["column"]): Correction(
            Claim(row["value"], row["source"], row["model"]), row["reason"]
        )
        for row in rows
    }


def _impossible(column: str, claim: Claim) -> str:
    if column not in FIGURES:
        return ""
    value = float(claim.value)
    if value < LEAST[column]:
        return f"below {LEAST[column]:g}, which upturn takes for another unit"
    if column == "tokens" and value > MOST_TOKENS:
        return "more than anybody has trained on"
    stated = params_in(claim.name)
    if column == "params" and abs(math.log(value / stated)) > SIZE_IN_NAME:
        return "not the size that the name states"
    return ""


def _rank(column: str) -> Callable[[Claim], int]:
    first = (EPOCH, *ORDER) if column == "date" else ORDER

    def rank(claim: Claim) -> int:
        return first.index(claim.source) if claim.source in first else -1

    return rank


def _same(column: str, value: float | str, other: float | str) -> bool:
    if value == "" or column == "family":
        return column == "family"
    if column == "date":
        return value == other
    return math.isclose(float(value), float(other), rel_tol=AGREE)


def _shown_name(record: Record) -> str:
    """The name on a hub, which says whose the model is, else the first."""
    return next((name for name in record.names if "/" in name), record.names[0])


def _families(models: list[Model]) -> None:
    """One spelling a family, also for models whose names are those of a family but for the size."""
    spelling: dict[str, str] = {}
    of_line: dict[str, set[str]] = {}
    for model in models:
        family = str(model.values.get("family", ""))
        if family and model.sources["family"] != POLO:
            spelling.setdefault(_plain(family), family)
    for model in models:
        if family := str(model.values.get("family", "")):
            family = spelling.setdefault(_plain(family), family)
            model.values["family"] = family
            of_line.setdefault(_line(model.name), set()).add(family)
    for model in models:
        known = of_line.get(_line(model.name), set())
        if "family" not in model.values and len(known) == 1:
            model.values["family"], model.sources["family"] = next(iter(known)), BY_NAME


_SAME_FAMILY = {"metallama3": "llama3", "mixtral8xv01": "mixtral", "gpt2": "gpt2"}


def _plain(family: str) -> str:
    plain = "".join(c for c in family.casefold() if c.isalnum() or c == ".")
    return _SAME_FAMILY.get(plain, plain)


def _line(name: str) -> str:
    """The words and the first number of a name: what its siblings of other sizes share."""
    words = canonical(name).split()
    return " ".join(words[:2] if len(words) > 1 and words[1][-1].isdigit() else words[:1])
