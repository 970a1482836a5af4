"""What is left of the demo's nuclei on coarser levels, by the way in which these are made: a table in markdown.

Run it with `python docs/examples/label_pyramids.py`; docs/label-pyramids.md has what it prints.
"""

import ngio_x as nx
from ngio_x.cli.demo import segment
from ngio_x.testing import samples

LEVELS = 4
WAYS = {
    "`nearest`": ("nearest", False),
    "`mode`": ("mode", False),
    "`max`": ("max", False),
    "`nearest`, objects kept": ("nearest", True),
    "`mode`, objects kept": ("mode", True),
}


def what_is_left(labels, order, *, keep):
    """Return the change of the total area, in percent, and the number of objects, of each level after level 0."""
    level, area, found = labels, int((labels != 0).sum()), []
    for number in range(1, LEVELS + 1):
        level = nx.zoom(level, 0.5, order=order)
        shown = nx.keep_objects(level, labels) if keep else level
        now = int((shown != 0).sum()) * 4**number
        found.append((100 * (now / area - 1), len(nx.unique_ids(shown))))
    return found


def main():
    """Print the table."""
    image = samples.nuclei().image
    labels = segment(image.sel(c="DNA"))
    columns = [what_is_left(labels, order, keep=keep) for order, keep in WAYS.values()]
    print("| level |", " | ".join(WAYS), "|")
    print("|" + "---|" * (1 + len(WAYS)))
    print("| 0 |", " | ".join([f"{len(nx.unique_ids(labels))} nuclei"] * len(WAYS)), "|")
    for number, row in enumerate(zip(*columns, strict=True), 1):
        print(f"| {number} |", " | ".join(f"{change:+z.1f} %, {count}" for change, count in row), "|")


if __name__ == "__main__":
    main()
