"""The pictures of docs/tutorial.md, drawn by running its blocks: `python docs/figures/tutorial.py`."""

import os
import re
import tempfile
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parents[1]


def main(folder):
    """Put the pictures into a folder, with 256 colours, which is enough and takes a third of the bytes."""
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        try:
            exec(compile(code, "tutorial.md", "exec"), {"__name__": "page"})  # noqa: S102 — it is this repository's
        finally:
            os.chdir(before)
        for picture in Path(work).glob("tutorial-*.png"):
            with Image.open(picture) as drawn:
                drawn.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(
                    folder / picture.name, optimize=True
                )


if __name__ == "__main__":
    main(DOCS / "images")
