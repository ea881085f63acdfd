"""Checkpoints: the run, the step and the tokens that the name of a model states."""

import math
import re
from dataclasses import dataclass

UNITS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_SIZE = re.compile(r"\d+(?:\.\d+)?[bmt]")

_PLAIN_REVISIONS = {"main", "master", "None"}
_AMOUNT = r"\d+(?:\.\d+)?"
_TAIL = re.compile(
    r"(?:^|[-_/:.@ ]+)"
    r"(?P<revision>"
    r"(?:(?P<stage>stage[-_]?\d+(?:[-_]ingredient[-_]?\d+)?)[-_])?"
    r"(?:intermediate[-_])?(?:global[-_]?)?(?:step|checkpoint|ckpt|iter|iteration)s?[-_]?"
    rf"(?P<step>{_AMOUNT})(?P<thousand>k)?"
    rf"(?:[-_](?P<said>tokens?[-_]?)?(?P<tokens>{_AMOUNT})(?P<unit>[kmbt])(?:[-_]?tokens?)?)?"
    r")/*$",
    re.IGNORECASE,
)
_TOKENS_ALONE = re.compile(
    rf"(?:@|[-_/ ](?P<said>tokens?)[-_]?)(?P<tokens>{_AMOUNT})(?P<unit>[kmbt])(?:[-_]?tokens?)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Checkpoint:
    """A moment in the training of a model, as its name tells it.

    Parameters
    ----------
    run
        The training run: the name without the moment.
    revision
        The moment as it is written, "" for a model that is no checkpoint.
    step, tokens
        The training steps and tokens up to then, NaN where the name does not say.
    """

    run: str
    revision: str = ""
    step: float = math.nan
    tokens: float = math.nan


def checkpoint_in(name: str) -> Checkpoint:
    """The run, the step and the tokens that a name states.

    Parameters
    ----------
    name
        Of a model: ``step3000-tokens6B``, ``checkpoint-3000``, ``@revision`` at its end are read.
        Tokens of a second stage are those of that stage alone, so they are not taken.

    Returns
    -------
    Checkpoint

    Examples
    --------
    >>> checkpoint = checkpoint_in("allenai/OLMo-1B@step3000-tokens6B")
    >>> checkpoint.run, checkpoint.step, checkpoint.tokens
    ('allenai/OLMo-1B', 3000.0, 6000000000.0)
    >>> checkpoint_in("/data/run7/checkpoint-3000").run
    '/data/run7'
    >>> checkpoint_in("gpt-4").revision
    ''
    """
    name = name.strip()
    tail = _TAIL.search(name)
    if tail and tail.start() and _is_amount_of_tokens(tail, name[: tail.start()]):
        return _of_tail(tail, name[: tail.start()].rstrip("-_/:.@ "))
    alone = _TOKENS_ALONE.search(name)
    if alone and alone.start() and _is_amount_of_tokens(alone, name[: alone.start()]):
        run, revision = name[: alone.start()], name[alone.start() :].lstrip("@-_/ ")
        return Checkpoint(
            run.rstrip("-_/ "), revision, tokens=amount(alone["tokens"], alone["unit"])
        )
    run, at, revision = name.rpartition("@")
    if not (at and run and revision):
        return Checkpoint(name)
    return Checkpoint(run, "" if revision in _PLAIN_REVISIONS else revision)


def _is_amount_of_tokens(tail: re.Match[str], run: str) -> bool:
    """Whether the number after a step is one of tokens: said so, or the run has a size already."""
    return bool(not tail["tokens"] or tail["said"] or _SIZE.search(run.lower()))


def _of_tail(tail: re.Match[str], run: str) -> Checkpoint:
    stage = (tail["stage"] or "").lower()
    is_first = not stage or re.fullmatch(r"stage[-_]?[01]", stage) is not None
    tokens = amount(tail["tokens"], tail["unit"]) if tail["tokens"] and is_first else math.nan
    return Checkpoint(
        run=run if is_first else f"{run}@{stage}",
        revision=tail["revision"],
        step=amount(tail["step"], tail["thousand"]),
        tokens=tokens,
    )


def amount(number: str, unit: str | None) -> float:
    """A number with the letter of its unit, as in 6b."""
    return float(number) * UNITS.get((unit or "").lower(), 1.0)
