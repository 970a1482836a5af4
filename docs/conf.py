"""How the documentation is built: `sphinx-build -W --keep-going -n docs FOLDER` (extra `docs`); it needs no network."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.environment import BuildEnvironment

import ngio_x

DOCS = Path(__file__).parent
ROOT = DOCS.parent

project = "ngio_x"
copyright = "the ngio_x authors, BSD 3-Clause licence"  # noqa: A001 — Sphinx' name
version = release = ngio_x.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = True

# Pages in markdown: links between headings as GitHub makes them.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# Docstrings: a name in backticks is a link where it names something of the reference, and code elsewhere.
default_role = "name"  # see below
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
autosummary_generate = False
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"ngio_x {version}"
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"  # that of furo draws modules as if they were links

# Files outside of this folder that pages include, so that each text stands in one place.
INCLUDED = {
    ROOT / "README.md": "index.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "property_tests" / "README.md": "laws.md",
}
PUBLIC = {
    f"ngio_x.{module}.{name}": f"ngio_x.{name}"
    for module, names in ngio_x._HOMES.items()  # noqa: SLF001 — it says which module a public name comes from
    for name in names
}


def site_links(text: str, folder: Path, page: Path) -> str:
    """Return markdown whose links, which lead from `folder` in the repository, lead from `page` in the site."""

    def site_link(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        file = (folder / target).resolve()
        if not file.exists():
            return match[0]
        file = DOCS / INCLUDED[file] if file in INCLUDED else file
        return f"]({Path(relpath(file, page.parent)).as_posix()}{anchor})"

    return re.sub(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)", site_link, text)


def read_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the links of a page lead to the pages that include what they lead to on GitHub."""
    page = Path(app.env.doc2path(docname))
    if page.suffix == ".md":
        source[0] = site_links(source[0], page.parent, page)


def read_included(app: Sphinx, relative_path: Path, parent_docname: str, content: list[str]) -> None:
    """Do the same to a file that a page includes."""
    file = (DOCS / relative_path).resolve()
    if file.suffix == ".md":
        content[0] = site_links(content[0], file.parent, Path(app.env.doc2path(parent_docname)))


class Name(PyXRefRole):
    """The role of text in single backticks: a reference, if it is a name, else code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Let the domain look up the name, as `find_public_name` does where it does not know it."""
        if not re.fullmatch(r"[A-Za-z_][\w.]*", self.text):
            return [nodes.literal(self.rawtext, self.text)], []
        self.name = "py:obj"
        return super().run()


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: Any, contnode: nodes.TextElement
) -> nodes.reference | nodes.TextElement | None:
    """Find what a docstring names: by its public name, if it is ours; else it is code, as nothing is downloaded.

    Returns None, which is reported, for a name below `ngio_x` that the reference lacks.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py":
        return None
    if target in PUBLIC or f"ngio_x.{target}" in PUBLIC.values():
        name = PUBLIC.get(target, f"ngio_x.{target}")
        return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)
    return None if re.fullmatch(r"ngio_x(\.\w+)+", target) and node.get("reftype") == "obj" else contnode


def hide_generated_defaults(*said: Any) -> tuple[str | None, str | None]:
    """Write `...` for what attrs makes anew for each object."""
    *_, signature, returns = said
    return signature and signature.replace("=NOTHING", "=..."), returns


def shorten_types(_: Sphinx, doctree: nodes.document) -> None:
    """Leave out the module of types that Sphinx does not shorten inside of unions."""
    for text in list(doctree.findall(nodes.Text)):
        if "~" in text:
            text.parent.replace(text, nodes.Text(re.sub(r"~(?:\w+\.)+(?=\w)", "", text)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above."""
    app.add_role("name", Name())
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    app.connect("missing-reference", find_public_name)
    app.connect("autodoc-process-signature", hide_generated_defaults)
    app.connect("doctree-read", shorten_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
