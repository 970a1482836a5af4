"""Time and peak memory of a pyramid over its size, each in a process of its own: `python benchmarks/scaling.py`.

An image is generated lazily, written block by block, and its four coarser levels are made of it. Memory is what the
process takes at most above what it takes once everything is imported. The plot goes to docs/images/pyramid-cost.png.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import zarr

import ngio_x as nx
from ngio_x.testing.samples import photons

SIZES = (4096, 8192, 16384, 32768)
TOOLS = ("ngio_x", "ngio")
CHUNK = 1024
THREADS = 2
PLOT = Path(__file__).parents[1] / "docs" / "images" / "pyramid-cost.png"


def noise(block_info):
    """One block, the same each time."""
    place = block_info[None]["chunk-location"]
    return photons(block_info[None]["chunk-shape"], seed=place)


def build(tool, size, folder):
    """Write an image and its levels; return the seconds that the levels took."""
    pixels = da.map_blocks(
        noise, chunks=da.core.normalize_chunks(CHUNK, (size, size)), dtype="u2", meta=np.empty((0, 0), "u2")
    )
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        [str(k) for k in range(5)], (2, 2), (size, size), (1.0, 1.0), ("y", "x"), chunks=(CHUNK, CHUNK)
    )
    group = zarr.open_group(Path(folder) / f"{size}.zarr", mode="w", zarr_format=2)
    builder.to_zarr(group)
    source, *targets = (group[level.path] for level in builder.levels)
    da.store(pixels, source, lock=False)
    if tool == "ngio":
        from ngio.common import consolidate_pyramid  # noqa: PLC0415 — only where it is measured
    else:
        consolidate_pyramid = nx.consolidate_pyramid
    start = time.perf_counter()
    consolidate_pyramid(source, targets, mode="dask")
    return time.perf_counter() - start


def measure(tool, size):
    """Print seconds and megabytes of one build, of which a small one has been done before."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, dask.config.set(num_workers=THREADS):
        build(tool, 64, folder)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = build(tool, size, folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "megabytes": (peak - before) * 1024 / 1e6}))


def plot(found):
    """Draw both over the number of pixels."""
    import matplotlib as mpl  # noqa: PLC0415 — an extra

    mpl.use("agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    pixels = [size**2 for size in SIZES]
    for tool in TOOLS:
        left.loglog(pixels, [found[tool, size]["seconds"] for size in SIZES], "o-", label=tool)
        right.semilogx(pixels, [found[tool, size]["megabytes"] for size in SIZES], "o-", label=tool)
    first = found["ngio_x", SIZES[0]]["seconds"]
    left.loglog(pixels, [first * n / pixels[0] for n in pixels], ":", color="gray", label="proportional")
    left.set(xlabel="pixels of level 0", ylabel="seconds for four levels", title="time")
    right.set(xlabel="pixels of level 0", ylabel="MB above the imports", title="peak memory", ylim=(0, None))
    right.axhline(150, ls=":", color="gray")
    for axes in (left, right):
        axes.set_xticks(pixels, [f"{size}²" for size in SIZES])
        axes.minorticks_off()
        axes.legend()
    figure.savefig(PLOT, dpi=110)


def main():
    """Measure everything, print a table, draw the plot."""
    found = {}
    for size in SIZES:
        for tool in TOOLS:
            command = [sys.executable, __file__, tool, str(size)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[tool, size] = json.loads(done.stdout)
            print(
                f"{tool:8}{size:7}²{found[tool, size]['seconds']:8.2f} s{found[tool, size]['megabytes']:8.0f} MB",
                flush=True,
            )
    plot(found)


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else main()
