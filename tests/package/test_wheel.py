"""What is in the wheel, built from the tree and by way of the source archive."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import upturn

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.needs("build", "hatchling")]


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Build both archives from the tree, and a second wheel from the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "--sdist", "--wheel")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    build(folder / archive.name.removesuffix(".tar.gz"), folder / "second", "--wheel")
    return folder


def build(tree, out, *what):
    command = [sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", out, tree]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def contents(folder):
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        assert len(names) == len(set(names))
        return {name: file.read(name) for name in names}


def test_the_wheel_holds_the_package_and_nothing_else(dist):
    files = contents(dist)
    meta = f"upturn-{upturn.__version__}.dist-info/"
    assert {name.split("/")[0] for name in files} == {"upturn", meta.rstrip("/")}
    assert files["upturn/cli.py"] == (ROOT / "cli.py").read_bytes()
    assert "upturn/py.typed" in files
    assert not [name for name in files if "__pycache__" in name]
    assert meta + "licenses/LICENSE" in files
    assert "upturn/show/plots/upturn.mplstyle" in files
    for folder, pattern in [
        ("models", "*.toml"),
        ("src/upturn/tables/datasets", "*.csv"),
        ("src/upturn/show/report", "*.css"),
        ("src/upturn/show/report", "*.js"),
        ("src/upturn/show/report", "*.html"),
    ]:
        originals = list((ROOT / folder).glob(pattern))
        assert originals
        for original in originals:
            name = f"upturn/{folder.removeprefix('src/upturn/')}/{original.name}"
            assert files[name] == original.read_bytes()


def test_every_module_of_the_tree_is_in_the_wheel(dist):
    modules = {
        f"upturn/{file.relative_to(ROOT / 'src/upturn').as_posix()}"
        for file in (ROOT / "src/upturn").rglob("*.py")
    }
    assert modules == {name for name in contents(dist) if name.endswith(".py")}


def test_the_source_archive_leads_to_the_same_wheel(dist):
    record = f"upturn-{upturn.__version__}.dist-info/RECORD"
    first, second = contents(dist), contents(dist / "second")
    assert first[record].split() == second[record].split()
    assert first == second


def unpacked(dist):
    (archive,) = dist.glob("*.tar.gz")
    return dist / archive.name.removesuffix(".tar.gz")


def test_the_source_archive_has_what_its_links_stand_for(dist):
    """Hatchling keeps the link of one file, and copies the folder: both can be imported."""
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        members = file.getmembers()
    links = [member for member in members if not (member.isfile() or member.isdir())]
    assert [(m.name.partition("/")[2], m.linkname) for m in links] == [
        ("src/upturn/cli.py", "../../cli.py")
    ]
    root = unpacked(dist)
    assert {"cli.py", "pyproject.toml", "README.md", "LICENSE"} <= set(os.listdir(root))
    assert (root / "src/upturn/cli.py").read_bytes() == (root / "cli.py").read_bytes()
    assert os.listdir(root / "src/upturn/models") == os.listdir(root / "models")


def test_the_unpacked_source_archive_passes_its_tests(dist):
    """Those of the formulas, the readers and the command line: it has all that they need."""
    root = unpacked(dist)
    own = {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "tests/checks", "tests/formulas/test_segments.py", "tests/tables/test_axis.py",
         "tests/tables/readers", "tests/package/test_import.py"],
        cwd=root, env=os.environ | own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    where = "import upturn, upturn.cli; print(upturn.__file__, len(upturn.Model.names()))"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=root, env=os.environ | own, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(root))
