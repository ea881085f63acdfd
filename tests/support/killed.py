"""A worker that is killed at a chosen moment, importable by the process that is to be one."""

import os
import signal

import pytest

from upturn.questions.fit.batches.work import work


def work_and_die(moment, mark, path, batch):
    """What a worker does, until it is killed; the second one lives."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return work(path, batch)

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moment, die)
        return work(path, batch)
