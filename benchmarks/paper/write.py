"""`python -m benchmarks paper`: docs/paper.md and its pictures, from bundled data alone.

Takes two to four minutes of one core; parts whose data, versions and settings are those of the last
run are read from results/paper.
"""

import json
import shutil
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

from benchmarks.output import report
from benchmarks.paper.measure import FOLDER, PARTS, Effort, part, versions
from benchmarks.paper.page import PICTURES, page


def write(effort: Effort, folder: Path, *, fresh: bool = False, kept: Path = FOLDER) -> list[Path]:
    """Compute what is not there, and write the page, its figures as JSON, and its pictures.

    Parameters
    ----------
    effort : Effort
    folder : Path
        Of the page.
    fresh : bool
        Compute everything anew.
    kept : Path
        Where parts are kept.
    """
    facts = {name: part(name, effort, fresh=fresh, folder=kept) for name in PARTS}
    settings = {name: value for name, value in asdict(effort).items() if name != "threads"}
    stored = {"settings": settings, "versions": versions(), "facts": facts}
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "paper.md", page(facts, settings, stored["versions"]))
    _replace(folder / "paper.json", json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
    for stem in PICTURES:
        shutil.copyfile(kept / f"{stem}.svg", folder / f"{stem}.svg")
    return [folder / name for name in ("paper.md", "paper.json", *(f"{p}.svg" for p in PICTURES))]


def _replace(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=Path("docs"))
    parser.add_argument("--seed", type=int, default=Effort.seed)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--fresh", action="store_true", help="compute everything anew")


def main(*, folder: Path, seed: int, threads: int | None, fresh: bool) -> None:
    """Write the page, and say what was written."""
    effort = Effort(seed=seed, threads=threads)
    for path in write(effort, folder, fresh=fresh):
        report.note(str(path))
