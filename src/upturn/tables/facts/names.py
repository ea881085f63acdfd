"""Names of models: a canonical form, and the size that a name states."""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from upturn.tables.checkpoints import UNITS, amount, checkpoint_in

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
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# how alike two forms have to be, from 0 to 1, and their words without the numbers
_CLOSE, _CLOSE_WORDS = 0.75, 0.8
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

# how weights are stored, which changes neither their number nor how they were trained
_STORED = re.compile(
    r"(?:[-_. (]+(?:gptq|awq|gguf|exl2|bnb|hqq|quantized|nf4|(?:fp|int|bf)[-_]?(?:4|8|16)|"
    r"[2-8][-_ ]?bits?|w\d+a\d+|q[2-8](?:_(?:k|[01]))?(?:_[sml])?|4bit[-_]\w+)\)?)+$",
    re.IGNORECASE,
)
# what the last part of a path may be called whatever the model is
_NO_MODEL = {"model", "models", "final", "best", "last", "latest", "output", "out", "merged", "hf"}


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
    return f"{amount(text[:-1], text[-1]) / UNITS['b']:g}b"


def without_quantisation(name: str) -> str:
    """A name without what says how its weights are stored: GPTQ, 4bit, Q4_K_M, (8-bit).

    Parameters
    ----------
    name
        Of a model, which is another one where scores are compared: facts are those of both.

    Returns
    -------
    str

    Examples
    --------
    >>> without_quantisation("pythia-6.9b-GPTQ-4bit"), without_quantisation("pythia-12b (8-bit)")
    ('pythia-6.9b', 'pythia-12b')
    """
    return _STORED.sub("", name.strip())


def looked_up(model: str, run: str = "") -> list[tuple[str, bool]]:
    """The names under which a model may be known, each with whether it is of the model itself.

    A name of its run is of a model that is fully trained.

    Examples
    --------
    >>> looked_up("pythia-1b-GPTQ@step3000")
    [('pythia-1b-GPTQ@step3000', True), ('pythia-1b-GPTQ', False), ('pythia-1b', False)]
    """
    checkpoint = checkpoint_in(model)
    stored = without_quantisation(checkpoint.run)
    itself = {model} if checkpoint.revision else {model, checkpoint.run, stored}
    names = dict.fromkeys([model, run, checkpoint.run, stored])
    return [(name, name in itself) for name in names if name]


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
    return amount(size[:-1], size[-1])


def nearest_names(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Names that look like one, the likest first; only those with the same numbers in them.

    A name with another size or version is that of another model.

    Parameters
    ----------
    name
        That was looked for.
    names
        Among which to look.
    most
        How many to give.

    Examples
    --------
    >>> nearest_names("pythya-1.4b", ["pythia-14m", "pythia-1.4b", "pythia-12b"])
    ['pythia-1.4b']
    >>> nearest_names("eps-2.7b", ["opt-2.7b"])
    []
    """
    import difflib

    wanted = canonical(checkpoint_in(name).run)
    numbers = _NUMBER.findall(wanted)
    forms: dict[str, str] = {}
    for candidate in names:
        form = canonical(candidate)
        if _NUMBER.findall(form) == numbers:
            forms.setdefault(form, candidate)
    words = _words(wanted)
    alike = [
        form
        for form in forms
        if difflib.SequenceMatcher(None, words, _words(form)).ratio() >= _CLOSE_WORDS
    ]
    close = difflib.get_close_matches(wanted, alike, n=most, cutoff=_CLOSE)
    return [forms[form] for form in close]


def _words(form: str) -> str:
    """What a canonical name calls the family: all but its numbers."""
    return " ".join(word for word in form.split() if not _NUMBER.search(word))
