"""Claims: what the paper states of each ability, and the curves it can be held against.

The statements themselves are in the bundled data sets `wei2022-table1` and `wei2022-labels`; here
stands which curve of which data set is the same ability, or why there is none.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upturn.tables import datasets


@dataclass(frozen=True)
class Source:
    """Curves of a bundled data set that are classified together.

    Attributes
    ----------
    data : str
        The data set.
    where : tuple of str
        Conditions on its rows.
    metric : str
    tasks : tuple of str
    """

    data: str
    where: tuple[str, ...]
    metric: str
    tasks: tuple[str, ...]


SOURCES: dict[str, Source] = {
    "gpt3": Source(
        "gpt3", ("setting=few-shot",), "acc",
        ("arithmetic_3da", "arithmetic_3ds", "arithmetic_4da", "arithmetic_4ds",
         "arithmetic_5da", "arithmetic_5ds", "wic"),
    ),
    "open-models, acc": Source(
        "open-models", (), "acc", ("arithmetic_3da", "arithmetic_3ds", "parsinlu_qa")
    ),
    "open-models, exact_match": Source(
        "open-models", (), "exact_match", ("ipa_transliterate", "word_unscrambling")
    ),
    "brier": Source(
        "brier", (), "acc",
        ("mmlu", "hindu_knowledge", "conceptual_combinations", "analogical_similarity"),
    ),
    "prompting": Source(
        "prompting", ("setting=fewshot",), "exact_match",
        ("bbh_causal_judgement", "bbh_disambiguation_qa", "bbh_logical_deduction_three_objects",
         "bbh_logical_deduction_five_objects", "bbh_logical_deduction_seven_objects",
         "bbh_sports_understanding", "bbh_word_sorting"),
    ),
}  # fmt: skip

# Ability in Table 1 to (source, task).
TABLE1: Mapping[str, Sequence[tuple[str, str]]] = {
    "Addition/subtraction (3 digit)": (
        ("gpt3", "arithmetic_3da"), ("gpt3", "arithmetic_3ds"),
        ("open-models, acc", "arithmetic_3da"), ("open-models, acc", "arithmetic_3ds"),
    ),
    "Addition/subtraction (4-5 digit)": (
        ("gpt3", "arithmetic_4da"), ("gpt3", "arithmetic_4ds"),
        ("gpt3", "arithmetic_5da"), ("gpt3", "arithmetic_5ds"),
    ),
    "MMLU Benchmark (57 topic avg.)": (("brier", "mmlu"),),
    "Word in Context (WiC) benchmark": (("gpt3", "wic"),),
}  # fmt: skip

# Ability in Table 1 to (setting of technique and baseline, task) of the data set `prompting`.
TECHNIQUES: Mapping[str, tuple[str, str]] = {
    "Chain-of-thought: Math word problems": ("cot:direct", "gsm8k"),
    "Self-consistency decoding": ("cot_self_consistency maj@5:cot", "gsm8k"),
}

# The other rows of Table 1, and why they cannot be held against anything.
MISSING: Mapping[str, str] = {
    "Toxicity classification (CivilComments)": "no scores of Gopher by size",
    "Truthfulness (Truthful QA)": "no scores of Gopher by size",
    "MMLU Benchmark (26 topics)": "averages over topics picked by hand; the data have the average "
    "of all 57",
    "MMLU Benchmark (30 topics)": "the same: topics picked by hand",
    "Grounded conceptual mappings": "no scores of GPT-3 by size",
    "Many BIG-Bench tasks (see Appendix E)": "no scale is stated; task by task below",
    "Instruction following (finetuning)": "no pairs with and without instruction tuning at several "
    "scales",
    "Scratchpad: 8-digit addition (finetuning)": "no pairs with and without a scratchpad",
    "Using open-book knowledge for fact checking": "no scores with and without evidence",
    "Chain-of-thought: StrategyQA": "no StrategyQA with and without chain of thought",
    "Differentiable search index": "no scores of T5 as an index",
    "Leveraging explanations in prompting": "no scores with and without explanations",
    "Least-to-most prompting": "no scores of least-to-most prompting",
    "Zero-shot chain-of-thought reasoning": "no zero-shot answers without chain of thought to hold "
    "it against",
    "Calibration via P(True)": "no calibration errors by size",
    "Multilingual chain-of-thought reasoning": "no multilingual word problems",
    "Ask me anything prompting": "no pairs with and without it",
}

# Task in the lists of Appendix E, as the labels spell it, to (source, task).
LABELS: Mapping[str, Sequence[tuple[str, str]]] = {
    "international phonetic alphabet transliterate": (
        ("open-models, exact_match", "ipa_transliterate"),
    ),
    "word unscrambling": (("open-models, exact_match", "word_unscrambling"),),
    "parsinlu qa": (("open-models, acc", "parsinlu_qa"),),
    "hindu knowledge": (("brier", "hindu_knowledge"),),
    "conceptual combinations": (("brier", "conceptual_combinations"),),
    "analogical similarity": (("brier", "analogical_similarity"),),
    "causal judgment": (("prompting", "bbh_causal_judgement"),),
    "disambiguation qa": (("prompting", "bbh_disambiguation_qa"),),
    "logical deduction": (
        ("prompting", "bbh_logical_deduction_three_objects"),
        ("prompting", "bbh_logical_deduction_five_objects"),
        ("prompting", "bbh_logical_deduction_seven_objects"),
    ),
    "sports understanding": (("prompting", "bbh_sports_understanding"),),
    "word sorting": (("prompting", "bbh_word_sorting"),),
}


@dataclass(frozen=True)
class Stated:
    """What the paper states: an ability, the model that had it first, and that model's FLOPs."""

    ability: str
    model: str
    flops: float | None


def table1() -> list[Stated]:
    """The rows of Table 1, in its order."""
    return [
        Stated(row["ability"], row["model"], _number(row["emergent_flops"]))
        for row in _rows("wei2022-table1")
    ]


def labels() -> list[Stated]:
    """The tasks that are called emergent, in the order of the list."""
    return [
        Stated(row["task"], row["first_emergent_model"], _number(row["train_flops"]))
        for row in _rows("wei2022-labels")
    ]


def topics() -> int:
    """How many of the labels are topics of MMLU."""
    return sum(row["benchmark"] == "MMLU" for row in _rows("wei2022-labels"))


def _rows(name: str) -> list[dict[str, str]]:
    with datasets.path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float | None:
    return float(text) if text else None
