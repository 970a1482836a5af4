"""The code on README's and the docs' pages runs."""

import re
from code import InteractiveConsole
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_code_of_a_page_runs(page, tmp_path, monkeypatch):
    """All blocks of a page run one after the other, in an empty directory, and their asserts hold."""
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(page, "python"))
    assert "assert" in code
    exec(compile(code, str(page), "exec"), {"__name__": "page"})


class Prompt(InteractiveConsole):
    """The prompt of `python`, where a block has to end with an empty line; it runs nothing."""

    def runcode(self, code):
        """Leave it."""

    def showsyntaxerror(self, *_, **__):
        """Raise it."""
        raise  # noqa: PLE0704 — the one that is being handled


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_code_of_a_page_can_be_pasted_into_a_prompt(page):
    """Line by line, as it stands."""
    for block in blocks(page, "python"):
        prompt = Prompt()
        more = [prompt.push(line) for line in [*block.splitlines(), ""]]
        assert not more[-1]


def test_readme_names_its_two_commands():
    """README has one command that installs and runs the main job, and one that installs and passes the tests."""
    commands = "".join(blocks(ROOT / "README.md", "console"))
    assert "$ pip install '.[cli,plot]' && ngio-x demo" in commands
    assert "$ pip install '.[test]' && python -m pytest" in commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page):
    """Every link and picture that is a path exists."""
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_table_of_laws_lists_every_property_test():
    """The README of property_tests names each of its tests."""
    folder = ROOT / "property_tests"
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", code, re.MULTILINE))
    assert set(re.findall(r"`(test_\w+)`", (folder / "README.md").read_text(encoding="utf-8"))) == tests
