"""Report: what was measured, on which machine, as JSON and as a table."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path("results")
PACKAGES = (
    "upturn", "numpy", "scipy", "numba", "pymc", "pytensor", "nutpie", "arviz-stats",
    "jax", "jaxlib", "numpyro", "blackjax", "piecewise-regression",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """The day, the processor, how busy it is, and the versions of what was compared."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES} | {"jags": _jags()},
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _jags() -> str:
    """The version that the program prints as its greeting."""
    if shutil.which("jags") is None:
        return "missing"
    said = subprocess.run(["jags"], input="exit\n", capture_output=True, text=True, check=False)
    match = re.search(r"JAGS (\d[\w.]*)", said.stdout)
    return match[1] if match else "unknown"


def save(name: str, results: Mapping[str, Any], *, text: str = "") -> Path:
    """Write results/NAME.json, with the machine it was measured on, and the tables as NAME.md."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    figures = _finite({"machine": machine(), **results})
    _write(path, json.dumps(figures, indent=1, default=plain, allow_nan=False) + "\n")
    if text:
        _write(path.with_suffix(".md"), text)
    return path


def in_parts[T](name: str, key: str, count: int, make: Callable[[int], T]) -> list[T]:
    """Parts 0 to count - 1, from results/NAME/KEY-*.json, or made now and kept there.

    A run that was ended goes on where it was.
    """
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for number in range(count):
        path = folder / f"{key}-{number}.json"
        if not path.exists():
            _write(path, json.dumps(make(number), default=plain))
        parts.append(json.loads(path.read_text("utf-8")))
        note(f"{name}: {number + 1} of {count} parts")
    return parts


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def _finite(value: Any) -> Any:
    """The same with None for what JSON has no number for: a scale beyond the axis is inf."""
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """Arrays and numbers of NumPy as JSON has them."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected something JSON can hold, but got {type(value).__name__}")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table, aligned so that it reads as plain text too."""
    cells = [list(columns), *([_text(c) for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["| " + " | ".join(_pad(row, widths)) + " |" for row in cells]
    rule = (
        "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|"
    )
    return "\n".join([lines[0], rule, *lines[1:]])


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def _text(value: Any) -> str:
    if isinstance(value, float):
        if not np.isfinite(value):
            return "–"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def put(page: str, command: str, text: str) -> str:
    """A page with a text in the place that two comments keep for it.

    Parameters
    ----------
    page : str
        Markdown with ``<!-- COMMAND -->`` and, after it, ``<!-- end -->`` on lines of their own.
    command : str
        What makes the text.
    text : str
    """
    begin, end = f"<!-- {command} -->\n", "<!-- end -->"
    before, results, rest = page.partition(begin)
    if not results or end not in rest:
        raise SystemExit(f"page: expected the comment {begin.strip()} and {end} after it")
    return f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
