"""A table whose fit is written batch by batch."""

import pandas as pd

from tests.support.tables import loss, table

HOW = {"draws": 40, "seed": 4, "batch": 2}


def frame(**columns):
    """Five curves: with and without groups, of counts and a loss, in names of any length."""
    tasks = [
        table(8, seed=1, family="one", task="short"),
        table(5, seed=2, task="| <é> 🎉 " * 4),
        loss(6).assign(family="one"),
        table(7, seed=3, task="with families"),
        table(4, seed=4, family="", task="t"),
    ]
    return pd.concat(tasks).assign(**columns)


def refuse(error):
    def refusing(*_, **__):
        raise error

    return refusing
