"""Names of metrics, as headers of tables join them to a task."""

import re

_WORDS = frozenset({
    "acc", "accuracy", "acc_norm", "acc_bytes", "acc_mutual_info", "acc_per_char", "acc_uncond",
    "auc", "bits_per_byte", "bleu", "brier", "brier_score", "byte_perplexity", "chrf", "count",
    "em", "exact_match", "extractive_match", "f1", "inst_level_loose_acc", "inst_level_strict_acc",
    "likelihood_diff", "loglikelihood", "logprob", "loss", "mc1", "mc2", "mcc", "mean", "n",
    "pass_1", "pct_stereotype", "perplexity", "ppl", "primary_score", "prompt_level_loose_acc",
    "prompt_level_strict_acc", "quasi_exact_match", "rouge1", "rouge2", "rougel", "score", "sem",
    "std", "stderr", "value", "word_perplexity",
})  # fmt: skip
_STDERR = re.compile(r"_?std_?err(or)?", re.I)


def is_metric(name: str) -> bool:
    """Whether a name is that of a metric, its filter and its standard error aside.

    Examples
    --------
    >>> is_metric("acc_norm,none"), is_metric("Pass@1"), is_metric("acc_stderr"), is_metric("arc")
    (True, True, True, False)
    """
    plain = name.partition(",")[0].strip()
    word = re.sub(r"\W+", "_", (_STDERR.sub("", plain) or plain).casefold()).strip("_")
    return word in _WORDS
