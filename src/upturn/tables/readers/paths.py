"""Headers that are paths: ``eval/arc/acc`` of a log of training, ``arc/acc`` of a pivot table."""

from upturn.tables.readers.metric_words import is_metric

_ABOVE = {
    "benchmarks", "downstream", "eval", "evals", "evaluation", "lm_eval", "lm-eval", "metrics",
    "results", "test", "val", "validation",
}  # fmt: skip
_NO_SCORES = {"n", "count", "std"}
_TRAINING = {"train", "training", "optim", "system", "_wandb", "throughput", "profiler"}


def task_and_metric(header: str) -> tuple[str, str] | None:
    """The task and the metric that a path ends in, None for any other header.

    Examples
    --------
    >>> task_and_metric("eval/arc/acc,none"), task_and_metric("train/loss"), task_and_metric("ARC")
    (('arc', 'acc,none'), None, None)
    """
    *path, metric = [part.strip() for part in header.split("/")]
    is_training = bool(path) and path[0].casefold() in _TRAINING
    while path and path[0].casefold() in _ABOVE:
        path = path[1:]
    is_score = is_metric(metric) and metric.casefold() not in _NO_SCORES
    return ("/".join(path), metric) if path and is_score and not is_training else None
