"""The documentation as a site: it builds, names all that is public, and its tutorial and figures are what runs."""

import re
import runpy
import shlex
import subprocess
import sys
import zlib
from pathlib import Path

import imageio.v3 as imageio
import pytest

import ngio_x as nx
from ngio_x import accessor
from ngio_x.cli import main
from ngio_x.testing import strategies

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SCRIPTS = sorted((DOCS / "figures").glob("*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as the index page says; what Sphinx warns of is an error, pages without a place in it, too."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        folder / "doctrees",
        DOCS,
        folder / "site",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "site"


@pytest.fixture(scope="module")
def entries(site):
    """The names that have an entry in the reference."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(inventory).decode().splitlines() if " py:" in line}


def test_every_public_name_is_in_the_reference(entries):
    """Those of the package, errors and warnings, and what users' tests are given."""
    public = {f"ngio_x.{name}" for name in nx.__all__}
    public |= {f"ngio_x.errors.{name}" for name in vars(nx.errors) if name.startswith("Ngio")}
    public |= {
        f"ngio_x.testing.strategies.{name}"
        for name, value in vars(strategies).items()
        if getattr(value, "__module__", "") == strategies.__name__ and not name.startswith("_")
    }
    assert public - entries == set()


@pytest.mark.parametrize("name", ["DataArrayAccessor", "DatasetAccessor", "DataTreeAccessor"])
def test_every_method_of_an_accessor_is_in_the_reference(entries, name):
    """And its properties."""
    methods = {f"ngio_x.accessor.{name}.{each}" for each in vars(getattr(accessor, name)) if not each.startswith("_")}
    assert methods - entries == set()


def test_reference_lists_every_public_name_by_task():
    """On its first page, once."""
    page = (DOCS / "reference" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", page.split(".. toctree::")[0], re.MULTILINE)
    assert sorted(listed) == [name for name in nx.__all__ if name != "errors"]


def test_links_and_pictures_of_the_site_lead_into_the_site(site):
    """None leads to a file in markdown, which is a page here, or to something that is missing."""
    broken = []
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text(encoding="utf-8")):
            outside = target.startswith(("http:", "https:", "data:", "mailto:"))
            if not outside and (target.endswith(".md") or not (page.parent / target).exists()):
                broken.append((page.name, target))
    assert broken == []


def test_the_index_says_what_each_page_answers():
    """In one line, under one of four kinds, which are those of the navigation."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[.*\]\((\S+)\.\w+\): .*[.?]$", text, re.MULTILINE)
    navigation = re.findall(
        r"^(?:.* <)?([\w/-]+)>?$", "".join(re.findall(r":hidden:\n(.*?)```", text, re.DOTALL)), re.MULTILINE
    )
    assert listed == navigation
    assert {page.stem for page in DOCS.glob("*.md")} - {"index"} == set(listed) - {"reference/index"}


def test_the_index_says_how_the_site_is_built():
    """By one command, which is that of this test."""
    assert "$ pip install '.[docs]' && sphinx-build -W --keep-going docs site" in (DOCS / "index.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_figures_are_what_their_script_draws(script, tmp_path):
    """Each script draws pictures that are in docs/images, in the same size, and that a page shows."""
    runpy.run_path(str(script))["main"](tmp_path)
    drawn = sorted(tmp_path.glob("*.png"))
    assert drawn != []
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    for picture in drawn:
        assert imageio.imread(picture).shape[:2] == imageio.imread(DOCS / "images" / picture.name).shape[:2]
        assert f"(images/{picture.name})" in pages


def ends_well(program):
    """Run a program; return whether its exit code is 0."""
    try:
        program()
    except SystemExit as stop:
        return not stop.code
    return True


def test_commands_of_the_readme_run(tmp_path, monkeypatch, capsys):
    """In its order, in an empty directory, beginning with the demo; but for the benchmark, which takes a minute."""
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"(ngio-x .*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    commands = [command.partition("#")[0] for command in commands if "benchmark" not in command]
    assert [command.split()[1] for command in commands] == ["demo", "info", "preview", "crop", "validate", "convert"]
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        assert ends_well(main), command
        assert capsys.readouterr().out != ""


def test_commands_of_the_tutorial_run(tmp_path, monkeypatch, capsys):
    """In the order of the page, after its code, and each of them ends well."""
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    exec(compile(code, "tutorial.md", "exec"), {"__name__": "page"})
    commands = re.findall(r"^\$ (ngio-x .*)$", page, re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        assert ends_well(main), command
        assert capsys.readouterr().out != ""
