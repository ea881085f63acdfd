"""Files that a project is expected to have agree with the package."""

import re
import subprocess
import sys
from pathlib import Path

import upturn
from upturn.tables import datasets

ROOT = Path(__file__).parents[2]


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {upturn.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## [{upturn.__version__}] - " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_entry_of_the_changelog_has_a_kind():
    versions = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    for version in versions:
        kinds = re.findall(r"^### (.*)$", version, re.MULTILINE)
        assert len(kinds) == len(set(kinds))
        assert set(kinds) <= {"Added", "Changed", "Fixed"}
        assert not version.partition("\n### ")[0].count("\n- ")


def test_every_bundled_data_set_has_a_licence():
    told = (datasets.path("gpt3").parent / "LICENSES.md").read_text("utf-8")
    for data in datasets.catalogue():
        row = re.search(rf"^\| `{data.name}` \|.*$", told, re.MULTILINE)
        assert row
        assert data.licence in row[0]


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "upturn", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert upturn.__version__ in done.stdout


def test_files_named_for_contributors_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name in re.findall(r"`((?:src|tests)/[\w/.]+\.py)`", text):
        assert "NAME" in name or (ROOT / name).is_file(), name
