"""Names of models: a canonical form, and the size and the checkpoint that a name states."""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

UNITS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[bmt])")
_TOKEN = re.compile(
    r"(?<![\d.])(?P<experts>\d+x\d+(?:\.\d+)?[bm])(?![^\W_])"
    r"|(?<![^\W\d_])(?P<active>a\d+(?:\.\d+)?[bm])(?![^\W_])"
    r"|(?<![\d.])(?P<size>\d+(?:\.\d+)?[bmt])(?![^\W_])"
    r"|(?P<version>(?<![^\W\d_])v\d+(?:\.\d+)*)(?![^\W_])"
    r"|(?P<number>\d+(?:\.\d+)*[^\W\d_]*)"
    r"|(?P<word>h2o|[^\W\d_]+)"
    r"|(?P<plus>\+)"
)
_MAKERS = re.compile(r"\bmeta[-_ ]+(?=(?:code[-_ ]?)?llama)")
_FIRST_VERSIONS = {"v0.1", "v1", "v1.0"}  # what a model without a version is
_SYNONYMS = {"it": "instruct", "inst": "instruct", "pt": "base", "pretrained": "base"}
# words that say what was done to a model, wherever in the name they stand
_MODIFIERS = {
    "base", "chat", "instruct", "sft", "dpo", "rlhf", "ppo", "deduped", "fp", "bf", "awq", "gptq",
    "gguf", "int", "preview", "thinking", "reasoning", "turbo",
}  # fmt: skip
# Models of which the plain name is that of the pretrained weights. Of others (Qwen3-8B, InternLM2)
# it is that of the tuned ones, so "base" must stay.
_PLAIN_IS_BASE = {
    "llama", "llama 2", "llama 3", "llama 3.1", "llama 3.2", "codellama", "pythia", "opt",
    "bloom", "falcon", "mpt", "gemma", "gemma 2", "mistral", "mixtral", "yi", "yi 1.5", "qwen",
    "qwen 1.5", "qwen 2", "qwen 2.5", "deepseekllm", "deepseekmoe", "deepseekcoder",
    "redpajamaincite", "stablelmalpha", "stablelm 2", "olmo", "olmo 2", "h2odanube",
    "h2odanube 2", "h2odanube 3", "btlm", "smollm", "smollm 2", "tinyllama", "openllama",
    "starcoder 2", "nemotron 4", "amber",
}  # fmt: skip

_PLAIN_REVISIONS = {"main", "master", "None"}
# what the last part of a path may be called whatever the model is
_NO_MODEL = {"model", "models", "final", "best", "last", "latest", "output", "out", "merged", "hf"}
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


def canonical(name: str) -> str:
    """The form in which two spellings of one model are equal, and two models are not.

    Organisation, case, punctuation, ``-hf``, the first version (``v0.1``, ``v1``) and, where the
    plain name means it, ``-base`` are left out; sizes are written one way. Sizes, later versions,
    dates, context lengths, and words such as ``chat`` or ``deduped`` stay.

    Parameters
    ----------
    name
        As a harness, a paper or a hub writes it.

    Returns
    -------
    str

    Examples
    --------
    >>> canonical("meta-llama/Llama-2-7b-hf"), canonical("LLaMA 2 (7B)")
    ('llama 2 7b', 'llama 2 7b')
    >>> canonical("Qwen/Qwen2.5-0.5B-Instruct"), canonical("qwen2.5-500m-it")
    ('qwen 2.5 0.5b instruct', 'qwen 2.5 0.5b instruct')
    >>> canonical("mistralai/Mistral-7B-v0.1") == canonical("Mistral-7B-v0.3")
    False
    """
    parts = [_Parts.of(part) for part in _plain(name).split("+") if part.strip(" /")]
    joined = " plus ".join(part.text for part in parts)
    return joined + (" plus" if name.rstrip().endswith("+") else "")


@dataclass
class _Parts:
    """What a name consists of, each kind by itself."""

    words: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)
    modifiers: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plain: str) -> "_Parts":
        parts = cls()
        for match in _TOKEN.finditer(_without_organisation(plain)):
            parts.add(str(match.lastgroup), match[0])
        return parts

    def add(self, kind: str, text: str) -> None:
        """One token, by what it is."""
        text = _SYNONYMS.get(text, text)
        if kind == "size":
            self.sizes.append(_size_text(text))
        elif kind in {"experts", "active"}:
            self.sizes.append(text)
        elif kind == "version" and self.words == ["llama"] and not self.numbers:
            self.numbers.append(text.removeprefix("v"))  # llama-v2-7b is Llama 2
        elif kind in {"version", "number"}:
            self.numbers += [] if text in _FIRST_VERSIONS else [text]
        elif text in _MODIFIERS:
            self.modifiers.append(text)
        elif text != "hf":
            self.words.append(text)

    @property
    def text(self) -> str:
        """The parts in one order."""
        modifiers = sorted(set(self.modifiers) - ({"base"} if self._plain_is_base() else set()))
        return " ".join(
            filter(None, ["".join(self.words), *self.numbers, *sorted(self.sizes), *modifiers])
        )

    def _plain_is_base(self) -> bool:
        others = sorted({*self.modifiers} - {"base", "deduped"})
        line = " ".join(["".join(self.words), *self.numbers[:1], *others])
        return bool(self.sizes) and line in _PLAIN_IS_BASE


def _plain(name: str) -> str:
    """Small letters, and one way to write a decimal in the ways that names have."""
    text = unicodedata.normalize("NFKC", name).strip().casefold()
    text = re.sub(r"(?<![\da-z])(\d{1,3})b(\d)(?![\da-z])", r"\1.\2b", text)  # bloom-7b1
    text = re.sub(r"\bv(\d)p(\d)(?!\d)", r"v\1.\2", text)  # llama-v3p1
    text = re.sub(r"\b(claude)-(\d)-(\d)(?!\d)", r"\1-\2.\3", text)
    if "-" in text.rpartition("/")[2]:
        text = re.sub(r"(?<=\d)_(?=\d+[a-z]?(?![\da-z]))", ".", text)  # phi-1_5, stablelm-2-1_6b
    return text


def _without_organisation(plain: str) -> str:
    """The last part of a path, or of ``org__model``, without the maker's name before it.

    Of a last part that names no model (``llama/7b``, ``run7/final``) the one before it is kept.
    """
    *before, last = [part for part in re.split(r"/|__", plain) if part.strip("_ ")] or [""]
    if before and not {*re.findall(r"[^\W\d_]{2,}", last)} - _NO_MODEL:
        last = f"{before[-1]} {last}"
    return _MAKERS.sub("", last)


def _size_text(text: str) -> str:
    """A size in units of 10⁹: "500m" and "0.5b" are one."""
    return f"{_amount(text[:-1], text[-1]) / UNITS['b']:g}b"


def _amount(number: str, unit: str | None) -> float:
    return float(number) * UNITS.get((unit or "").lower(), 1.0)


def params_in(name: str) -> float:
    """The parameters that a name states, NaN where it states none or several numbers.

    Parameters
    ----------
    name
        Of a model or a checkpoint.

    Returns
    -------
    float

    Examples
    --------
    >>> params_in("EleutherAI/pythia-1.4b"), params_in("bloom-7b1"), params_in("gpt-4")
    (1400000000.0, 7100000000.0, nan)
    """
    plain = _without_organisation(_plain(checkpoint_in(name).run))
    tokens = list(_TOKEN.finditer(plain))
    if any(token.lastgroup == "experts" for token in tokens):
        return math.nan  # 8x7b is less than 56 billion, by how much the name does not say
    sizes = {token[0] for token in tokens if token.lastgroup == "size"}
    if len(sizes) != 1:
        return math.nan
    (size,) = sizes
    return _amount(size[:-1], size[-1])


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
            run.rstrip("-_/ "), revision, tokens=_amount(alone["tokens"], alone["unit"])
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
    tokens = _amount(tail["tokens"], tail["unit"]) if tail["tokens"] and is_first else math.nan
    return Checkpoint(
        run=run if is_first else f"{run}@{stage}",
        revision=tail["revision"],
        step=_amount(tail["step"], tail["thousand"]),
        tokens=tokens,
    )


def nearest_names(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Names that look like one, the likest first; of another size or version only if none is.

    Parameters
    ----------
    name
        That was looked for.
    names
        Among which to look.
    most
        How many to give.
    """
    import difflib

    forms: dict[str, str] = {}
    for candidate in names:
        forms.setdefault(canonical(candidate), candidate)
    wanted = canonical(checkpoint_in(name).run)
    close = difflib.get_close_matches(wanted, forms, n=20, cutoff=0.75)
    sizes = {match[0] for match in _SIZE.finditer(wanted)}
    close.sort(key=lambda form: sizes != {match[0] for match in _SIZE.finditer(form)})
    return [forms[form] for form in close[:most]]
