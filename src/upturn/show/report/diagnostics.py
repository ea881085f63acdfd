"""Diagnostics of the sampler with their meaning, and notes about the data."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from upturn.posterior.tree import values
from upturn.sampling.particles.weights import LARGEST_K
from upturn.sampling.population.sampler import METHODS
from upturn.show.report.markup import text

if TYPE_CHECKING:
    from upturn.questions.check.result import Check
    from upturn.questions.fit.result import Fit

NAMED = 12  # most curves that are named; the others are counted

FIT = (
    "Whether the scores lie about the curves as the model says, on the first axis. In a table that "
    "fits, the probability of any finding is at most 5 %."
)

type Table = tuple[list[str], list[list[str]], list[int]]


def diagnostics_of(fit: "Fit", checked: "Check | None") -> Table:
    """Headers, rows of HTML cells, and the columns of numbers."""
    frame = fit.summary()
    khat, ess, rhat = (frame[name].to_numpy(np.float64) for name in ("khat", "ess", "rhat"))
    total = len(frame)
    method = values(fit.tree, "sample_stats", "method")
    rows = [
        [
            "k̂",
            f"largest {np.nanmax(khat):.2f}",
            f"{int((khat > LARGEST_K).sum()):,} of {total:,} above {LARGEST_K:g}",
            "Whether the draws reach the tails of the posterior. Above 0.7 the error may be larger "
            "than stated (Vehtari et al. 2024).",
        ],
        [
            "effective draws",
            f"smallest {np.nanmin(ess):,.0f}",
            f"{int((ess < 400).sum()):,} of {total:,} below 400",
            "Number of independent draws that would be as precise. A few hundred suffice for a "
            "median; the ends of intervals need more.",
        ],
        [
            "R̂",
            f"largest {np.nanmax(rhat):.3f}",
            f"{int((rhat > 1.01).sum()):,} of {total:,} above 1.01",
            "Whether four independent runs of the sampler agree. 1 is perfect agreement "
            "(Vehtari et al. 2021).",
        ],
        [
            "method",
            "",
            f"{int((method == len(METHODS) - 1).sum()):,} of {total:,} by tempered SMC",
            "Curves for which importance sampling fails are drawn by a slower, more robust method.",
        ],
        [
            "converged",
            "",
            f"{total - len(fit.failed):,} of {total:,}",
            "Whether all of the above are within their limits. "
            + (f"Failed: {text(_named(fit.failed))}." if fit.failed else "No problems."),
        ],
    ]
    if checked is not None:
        rows.append(["fit", "", text(checked.verdict.partition(": ")[2]), FIT])
    return ["", "worst", "curves", "what it means"], rows, []


def problems_of(fit: "Fit") -> str:
    """Notes about the table, and the flags with the curves that have them."""
    curves = fit.curves
    flagged: dict[str, list[str]] = {}
    for name, flags in zip(curves.name.tolist(), curves.flags, strict=True):
        for flag in flags:
            flagged.setdefault(flag, []).append(name)
    counts = Counter({flag: len(names) for flag, names in flagged.items()})
    items = [text(note) for note in fit.notes]
    items += [f"{text(flag)}: {n:,} — {text(_named(flagged[flag]))}" for flag, n in counts.items()]
    if not items:
        return '<p class="soft">Nothing was left out, derived or rounded; no curve has a flag.</p>'
    return f'<ul class="plain">{"".join(f"<li>{item}</li>" for item in items)}</ul>'


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
