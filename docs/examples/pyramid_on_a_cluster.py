"""A two-channel image that is never in memory as a whole, its pyramid, an edit, and just that built again.

Run it with `python docs/examples/pyramid_on_a_cluster.py`; a number after it is another size than 16384.
"""

import resource
import sys
import tempfile
from pathlib import Path

import dask.array as da
import numpy as np
import zarr
from distributed import Client, LocalCluster

import ngio_x as nx

CHUNK = 1024


def cells(block_info):
    """Make one block of the image: noise on a grid of bright discs."""
    block = block_info[None]
    channel, *rows_and_columns = block["array-location"]
    y, x = np.ogrid[tuple(slice(*span) for span in rows_and_columns)]
    discs = (y % 96 - 48) ** 2 + (x % 96 - 48) ** 2 < 900 + 300 * channel[0]
    noise = np.random.default_rng(block["chunk-location"]).integers(80, 120, discs.shape)
    return (noise + 400 * discs).astype("uint16")[np.newaxis]


def peak_megabytes():
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def same(a, b):
    """Compare two arrays on disk, block by block."""
    return bool((da.from_zarr(a) == da.from_zarr(b)).all().compute())


def main(size):
    """Build, edit, rebuild, verify."""
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        "auto", {"y": 2, "x": 2}, (2, size, size), (1.0, 0.325, 0.325), ("c", "y", "x"),
        chunks=(1, CHUNK, CHUNK), zarr_format=3,
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        group = zarr.open_group(Path(folder) / "image.zarr", mode="w", zarr_format=3)
        builder.to_zarr(group)
        source, *targets = (group[level.path] for level in builder.levels)
        print(f"{source.nbytes / 1e6:.0f} MB, and levels to be made by this plan:")
        print(nx.plan_pyramid(source, targets))
        blocks = da.core.normalize_chunks((1, CHUNK, CHUNK), source.shape)
        da.store(
            da.map_blocks(cells, chunks=blocks, dtype="uint16", meta=np.empty((0, 0, 0), "uint16")), source, lock=False
        )
        nx.consolidate_pyramid(source, targets, progress=True)

        edit = {"c": 0, "y": slice(size // 3, size // 3 + 700), "x": slice(size // 2, size // 2 + 900)}
        source[edit["c"], edit["y"], edit["x"]] = 0
        print(f"After an edit: {nx.plan_pyramid(source, targets, regions=[edit])}")
        nx.consolidate_pyramid(source, targets, regions=[edit], progress=True)

        again = zarr.open_group(Path(folder) / "again.zarr", mode="w", zarr_format=3)
        builder.to_zarr(again)
        rebuilt = [again[level.path] for level in builder.levels[1:]]
        nx.consolidate_pyramid(source, rebuilt)
        for level, whole in zip(targets, rebuilt, strict=True):
            assert same(level, whole), f"{level.path} differs"
        print(f"All {len(targets)} levels are bit-identical with a full rebuild.")
        peaks = [*client.run(peak_megabytes).values(), peak_megabytes()]
        print(f"Peak memory of the workers and this process: {', '.join(f'{peak:.0f} MB' for peak in peaks)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16384)
