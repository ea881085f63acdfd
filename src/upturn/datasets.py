"""Bundled data sets: published evaluation results, with a source in every row.

>>> from upturn import datasets
>>> datasets.names()[:4]
['brier', 'gpt3', 'olmo-mmlu', 'open-models']
"""

from upturn.tables.datasets import Dataset, catalogue, names, path, resolve

__all__ = ["Dataset", "catalogue", "names", "path", "resolve"]
