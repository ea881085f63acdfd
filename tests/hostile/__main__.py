"""Run many hostile inputs: ``python -m tests.hostile --inputs 10000``.

Prints how many there were, how each ended, and every one that ended badly; exit code 1 where one
did.
"""

import gc
import time
from collections import Counter

import click
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests.hostile import cases
from tests.hostile.run import run, unraisable
from tests.hostile.tables import Case

SHARES = {
    "tables": 0.20,
    "side tables": 0.08,
    "folders": 0.17,
    "models": 0.31,
    "command lines": 0.18,
    "saved fits": 0.06,
}
BATCH = 100


def attack(kind: str, inputs: int, start: int, outcomes: Counter[str]) -> list[str]:
    """Run so many inputs of a kind; what went wrong, each with the input that shows it.

    How far it is, and the command that took longest, is printed after every batch.
    """
    wrong: list[str] = []
    batch, begun, slowest = 0, time.perf_counter(), (0.0, "")
    while outcomes.total() < inputs and batch < 4 * (inputs // BATCH + 1):

        @seed(start + batch)
        @settings(
            max_examples=min(BATCH, inputs - outcomes.total()),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(cases.KINDS[kind])
        def check(case: Case) -> None:
            nonlocal slowest
            before = time.perf_counter()
            try:
                outcomes[f"exit code {run(case)}"] += 1
            except AssertionError as error:
                outcomes["bad"] += 1
                wrong.append(f"{kind}: {error}\n{case!r}")
            taken = time.perf_counter() - before
            slowest = max(slowest, (taken, " ".join(case.arguments)[:70]))

        with unraisable() as unseen:
            check()
            gc.collect()
        wrong.extend(f"{kind}: {text}" for text in unseen)
        batch += 1
        click.echo(
            f"  {kind}: {outcomes.total():,} of {inputs:,} in {time.perf_counter() - begun:.0f} s, "
            f"{len(wrong)} faults; slowest {slowest[0]:.1f} s: {slowest[1]!r}",
            err=True,
        )
    return wrong


@click.command()
@click.option("--inputs", default=10_000, show_default=True, help="How many, all kinds together.")
@click.option("--seed", "start", default=0, show_default=True)
@click.option("--kind", type=click.Choice(list(cases.KINDS)), help="Only this kind.")
def main(inputs: int, start: int, kind: str | None) -> None:
    """Run hostile inputs and count how they end."""
    wrong: list[str] = []
    total: Counter[str] = Counter()
    for name, share in SHARES.items():
        if kind in {None, name}:
            begun, outcomes = time.perf_counter(), Counter[str]()
            count = inputs if kind else round(inputs * share)
            wrong += attack(name, count, start, outcomes)
            total.update(outcomes)
            said = ", ".join(f"{key} {outcomes[key]:,}" for key in sorted(outcomes))
            seconds = time.perf_counter() - begun
            click.echo(f"{name}: {outcomes.total():,} inputs in {seconds:.0f} s; {said}")
    for text in wrong[:20]:
        click.echo(
            f"\n{text if len(text) < 8000 else text[:4000] + ' … ' + text[-3000:]}", err=True
        )
    click.echo(f"{total.total():,} inputs, {len(wrong)} tracebacks or other faults")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
