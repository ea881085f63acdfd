"""Models as TOML text: read with checks, written back. Nothing in a file is executed."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.formulas.curve import RANGES, SHAPES, CurveModel
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.segments import KINDS, Floor, Line, Segment

KEYS = ("name", "shape", "summary", "range", "likelihood", "order", "segments", "priors")
TEXTS = KEYS[:5]
MAX_SEGMENTS = 8
MAX_BYTES = 100_000
MAX_DOTS = 100  # in a line: the time to parse a dotted key grows with the square of its parts


def table_of(text: str, where: str) -> dict[str, Any]:
    """The keys and values of a model's file, with checks of its form."""
    dots = max((line.count(".") for line in text.splitlines()), default=0)
    if dots > MAX_DOTS:
        raise DataError(
            f"{where}: expected at most {MAX_DOTS} dots on a line, but got {dots:,}; "
            "keys of a model have no parts"
        )
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: expected a TOML file, but got: {error}") from None
    for key in table:
        known(key, KEYS, kind="key", where=where)
    chain = table.get("segments")
    if not isinstance(chain, list) or not 1 <= len(chain) <= MAX_SEGMENTS:
        raise DataError(
            f"{where}, key 'segments': expected 1 to {MAX_SEGMENTS} tables "
            f"[[segments]], but got {shown(chain)}"
        )
    return table


def fields_of(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of a model except its priors."""
    return {
        "name": _text(table, "name", where),
        "shape": known(
            _text(table, "shape", where), SHAPES, kind="shape", where=f"{where}, key 'shape'"
        ),
        "summary": _text(table, "summary", where, default=""),
        "segments": _segments(table["segments"], where),
        "range": known(
            _text(table, "range", where, default="floor"),
            RANGES,
            kind="range",
            where=f"{where}, key 'range'",
        ),
        "likelihood": known(
            _text(table, "likelihood", where, default="auto"),
            [*BY_KIND, *LIKELIHOODS],
            kind="likelihood",
            where=f"{where}, key 'likelihood'",
        ),
    }


def priors_of(table: Mapping[str, Any], where: str) -> dict[str, str]:
    """The priors that a model's file gives."""
    given = table.get("priors", {})
    if not isinstance(given, dict):
        raise DataError(f"{where}, key 'priors': expected a table [priors], but got {shown(given)}")
    return given


def to_toml(model: CurveModel) -> str:
    """The file of a model, with every prior spelled out.

    Those that the likelihood decides are comments where it is "auto": a floor that suits counts
    does not suit a continuous metric.
    """
    lines = [f"{key} = {_quoted(getattr(model, key))}" for key in TEXTS]
    for segment in model.segments:
        kind = next(k for k, v in KINDS.items() if isinstance(segment, v))
        lines += ["", "[[segments]]", f"kind = {_quoted(kind)}"]
        lines += [
            f"{f.name} = {str(getattr(segment, f.name)).lower()}"
            for f in fields(segment)
            if getattr(segment, f.name)
        ]
    lines += ["", "[priors]"]
    priors = {name: f"{name} = {_quoted(text)}" for name, text in model.all_priors().items()}
    by_kind = BY_KIND.get(model.likelihood)
    varying: tuple[str, ...] = ()
    if by_kind is not None:
        varying = ("floor", *LIKELIHOODS[by_kind["counts"]].parameters, "scatter")
    left_open = [name for name in priors if name in varying and name not in model.given]
    lines += [line for name, line in priors.items() if name not in left_open]
    if left_open:
        lines += ["# Left to the likelihood; for counts:"]
        lines += [f"# {priors[name]}" for name in left_open]
    return "\n".join(lines) + "\n"


def _segments(chain: list[Any], where: str) -> tuple[Segment, ...]:
    """The segments of a file; a line must start from finite log odds."""
    segments = tuple(_segment(entry, i, where) for i, entry in enumerate(chain))
    for i, segment in enumerate(segments):
        if i > 0 and isinstance(segment, Line) and all(map(_stays_at_floor, segments[:i])):
            raise DataError(
                f"{where}, segment {i + 1}: expected a level, rise or ramp before a line, "
                "but got the floor, a share of 0, whose log odds no line leaves; begin with a level"
            )
    return segments


def _stays_at_floor(segment: Segment) -> bool:
    return isinstance(segment, Floor) or getattr(segment, "joined", False)


def _segment(entry: Any, index: int, where: str) -> Segment:
    place = f"{where}, segment {index + 1}"
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        raise DataError(f"{place}: expected a table with a key 'kind', but got {shown(entry)}")
    options = {key: value for key, value in entry.items() if key != "kind"}
    kind = KINDS[known(entry["kind"], list(KINDS), kind="kind of segment", where=place)]
    if options.get("link") == "logit" and kind is Line:
        options.pop("link")  # the only link; files may name it
    names = [f.name for f in fields(kind)]
    for key, value in options.items():
        if key not in names or not isinstance(value, bool):
            allowed = " or ".join(f"{n} = true" for n in names) or "no further key"
            raise DataError(f"{place}, key {key!r}: expected {allowed}, but got {shown(value)}")
    segment = kind(**options)
    if index == 0 and getattr(segment, "joined", False):
        raise DataError(f"{place}, key 'joined': expected a segment before it, but got the first")
    fits = segment.can_follow if index else segment.can_begin
    if not fits:
        use = "follow a changepoint" if index else "begin a curve"
        able = [k for k, v in KINDS.items() if (v.can_follow if index else v.can_begin)]
        raise DataError(
            f"{place}: expected a kind that can {use} ({', '.join(able)}), "
            f"but got {shown(entry['kind'])}"
        )
    return segment


def _text(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise DataError(f"{where}, key {key!r}: expected a text, but got {shown(value)}")
    return value


def file_text(path: Path) -> str:
    """The text of a model file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: expected a readable model file, but got: {reason}") from None
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{path}: expected a model file below {MAX_BYTES / 1000:g} KB, but got a larger one"
        )
    try:
        return content.decode(
            "utf-8-sig"
        )  # some editors on Windows begin a file with a byte order mark
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected UTF-8 text, but got other bytes") from None


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(
        f"\\u{ord(c):04x}"
        if ord(c) < 0x20 or ord(c) == 0x7F
        else {"\\": "\\\\", '"': '\\"'}.get(c, c)
        for c in text
    )
    return f'"{escaped}"'
