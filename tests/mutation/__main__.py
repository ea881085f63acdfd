"""Test by mutation: ``python -m tests.mutation`` (`make mutants`).

Cosmic Ray changes one number or operator of a module at a time; the module's tests run on each
change, and should fail. Prints a line for each module, every mutant that survived without being in
`equivalent.toml`, and the share that was killed; exit code 1 where it is below the bar.
Results are kept in results/mutants and used again until the module changes; mutants that survived
are tried again.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from tests.mutation import execute
from tests.mutation.modules import PACKAGE, ROOT, TESTS
from tests.mutation.mutants import Mutant, mutants

BAR = 0.90
RESULTS = ROOT / "results" / "mutants"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
FIRST = 900.0  # seconds, for the first run of a module's tests
PATIENCE = 5.0  # times what the tests take without a mutation


@cache
def known() -> Mapping[tuple[str, str, str], str]:
    """Why mutants are equivalent, by module and the line before and after; "": whatever after."""
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutant"]
    return {(e["module"], e["before"], e.get("after", "")): e["why"] for e in entries}


def is_excused(path: str, mutant: Mutant, after: str) -> bool:
    """Whether a mutant, or every mutant of its line, is known to be equivalent."""
    return (path, mutant.before, after) in known()


def attack(path: str, *, fresh: bool, every: int) -> list[tuple[Mutant, str]]:
    """How the tests end for each mutant of a module."""
    source = (ROOT / PACKAGE / path).read_text()
    store = RESULTS / f"{path.replace('/', '-')}-{sha256(source.encode()).hexdigest()[:12]}.jsonl"
    before = {} if fresh else _stored(store)
    out: list[tuple[Mutant, str]] = []
    if execute.run(path, "raise AssertionError", TESTS[path], FIRST)[0] != "killed":
        raise click.ClickException(f"{path}: its tests do not fail where it cannot be imported")
    execute.run(path, source, TESTS[path], FIRST)  # compiles kernels
    outcome, seconds = execute.run(path, source, TESTS[path], FIRST)
    if outcome != "survived":
        raise click.ClickException(f"{path}: its tests fail without a mutation")
    patience = 5 + PATIENCE * seconds
    for mutant in mutants(source)[::every]:
        if is_excused(path, mutant, ""):
            out.append((mutant, "equivalent"))
            continue
        key = f"{mutant.before}|{mutant.after}|{mutant.occurrence}"
        outcome = before.get(key, "")
        if outcome not in {"killed", "timeout"}:
            outcome, _ = execute.run(path, mutant.code, TESTS[path], patience)
            with store.open("a") as file:
                file.write(json.dumps([key, outcome]) + "\n")
        out.append((mutant, outcome))
    return out


def _stored(store: Path) -> dict[str, str]:
    return dict(map(json.loads, store.read_text().splitlines())) if store.exists() else {}


def report(path: str, outcomes: list[tuple[Mutant, str]]) -> Counter[str]:
    """Print what became of a module's mutants; count them."""
    count = Counter[str]()
    lines = []
    for mutant, outcome in outcomes:
        excused = is_excused(path, mutant, mutant.after)
        kind = "equivalent" if outcome == "survived" and excused else outcome
        count[kind] += 1
        if kind == "survived":
            lines.append(f"  {path}:{mutant.line}\n    - {mutant.before}\n    + {mutant.after}")
    click.echo(f"{path}: {_shares(count)}")
    for line in lines:
        click.echo(line)
    return count


def _shares(count: Counter[str]) -> str:
    dead = count["killed"] + count["timeout"]
    return (
        f"{count.total():,} mutants, {dead:,} killed ({dead / max(1, count.total()):.1%}), "
        f"{count['equivalent']:,} equivalent, {count['survived']:,} survived"
    )


@click.command()
@click.argument("modules", nargs=-1)
@click.option("--fresh", is_flag=True, help="Try again those that were killed before.")
@click.option("--every", default=1, show_default=True, help="Try one of so many mutants.")
@click.option("--count", "only_count", is_flag=True, help="Only say how many mutants there are.")
def main(modules: tuple[str, ...], fresh: bool, every: int, only_count: bool) -> None:
    """Test MODULES (all that are listed in modules.py) by mutation."""
    chosen: list[Any] = [path for path in TESTS if not modules or path in modules]
    if only_count:
        for path in chosen:
            click.echo(f"{len(mutants((ROOT / PACKAGE / path).read_text())):5} {path}")
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    execute.prepare()
    total = Counter[str]()
    for path in chosen:
        total += report(path, attack(path, fresh=fresh, every=every))
    click.echo(f"all: {_shares(total)}")
    dead = total["killed"] + total["timeout"]
    raise SystemExit(dead < BAR * (total.total() - total["equivalent"]) or dead == 0)


if __name__ == "__main__":
    main()
