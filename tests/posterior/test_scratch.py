"""Scratch folders: nobody can plant anything in them, and nothing else is removed."""

import os
import stat
import threading

import pytest

from upturn.checks.errors import DataError
from upturn.posterior.scratch import MARK, InUseError, Lock, scratch, whole


def write(path, text):
    with whole(path) as draft:
        draft.write_text(text)


def test_a_planted_link_is_not_followed(tmp_path):
    """Names that could be guessed, as they once were, lead to a file of somebody else."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (f".upturn.{os.getpid()}.tmp", ".upturn.a.csv.new", "a.csv"):
        (tmp_path / name).symlink_to(victim)
    write(tmp_path / "a.csv", "new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "a.csv").read_text() == "new"
    assert not (tmp_path / "a.csv").is_symlink()


def test_others_cannot_look_into_it(tmp_path):
    names = set()
    for _ in range(20):
        with scratch(tmp_path / "a.csv") as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert folder.parent == tmp_path
            assert folder.name.startswith(".upturn.")
            names.add(folder.name)
    assert len(names) == 20
    assert not os.listdir(tmp_path)


def test_threads_that_write_into_one_folder(tmp_path):
    """Of 800 writes by four threads there were 11 errors and two wrong contents."""
    wrong = []

    def many(thread):
        for i in range(200):
            path = tmp_path / f"{thread}.txt"
            try:
                write(path, f"{thread} {i}")
                if path.read_text() != f"{thread} {i}":
                    wrong.append(path)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=many, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(os.listdir(tmp_path)) == 4


def test_what_a_killed_process_left_is_removed(tmp_path):
    with scratch(tmp_path / "a.csv") as folder:
        prefix = folder.name.rpartition(".")[0]
    abandoned = tmp_path / f"{prefix}.abandoned"
    abandoned.mkdir()
    (abandoned / MARK).touch()
    users = tmp_path / f"{prefix}.users"
    users.mkdir()
    (users / "mine.txt").write_text("mine")
    linked = tmp_path / f"{prefix}.link"
    linked.symlink_to(users)
    with scratch(tmp_path / "other.csv"):
        assert abandoned.exists()
    with scratch(tmp_path / "a.csv") as held, scratch(tmp_path / "a.csv"):
        assert held.exists()
    assert sorted(os.listdir(tmp_path)) == sorted([users.name, linked.name])
    assert (users / "mine.txt").read_text() == "mine"


def test_a_lock_is_held_by_one(tmp_path):
    with Lock(tmp_path), pytest.raises(InUseError):
        Lock(tmp_path)
    Lock(tmp_path).release()


def test_what_fails_leaves_what_was_there(tmp_path):
    (tmp_path / "a.csv").write_text("old")

    def fail():
        with whole(tmp_path / "a.csv") as draft:
            draft.write_text("half")
            raise OSError("full")

    with pytest.raises(DataError, match="expected to write it, but got: full"):
        fail()
    assert (tmp_path / "a.csv").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]
