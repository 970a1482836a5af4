"""Make the files beside this script: tables as one version of ngio writes them, and what it reads of them.

Run with the Python of an environment that has nothing but the version in question:

    python -m venv golden && golden/bin/pip install "ngio==0.4.8"
    golden/bin/python make_golden_tables.py

writes `ngio-0.4.8-zarr2.tar.xz` and `ngio-0.4.8-zarr2.json`. Kept are those of 0.4.8, 0.5.14 and 1.1.3.
"""

import importlib.metadata
import inspect
import json
import logging
import math
import tarfile
import tempfile
import warnings
from pathlib import Path

import ngio
import pandas as pd
from ngio.common import Roi
from ngio.tables import GenericRoiTable, GenericTable, MaskingRoiTable, RoiTable
from ngio.tables.v1._roi_table import _dataframe_to_rois

HERE = Path(__file__).parent
NGIO = importlib.metadata.version("ngio")
BACKENDS = ("csv", "json", "parquet", "anndata_v1")
STARTS = {"x": "x_micrometer", "y": "y_micrometer", "z": "z_micrometer", "t": "t_second"}
EXTRAS = {
    "plate_name": ["plate", "plate", 'é, "q"'],  # repeated text is a category in anndata
    "acquisition_id": [3, 4, -5],
    "confidence": [0.25, 1.0, 2.0],
    "x_micrometer_original": [1.0, 2.0, 3.0],
    "is_edge": [True, False, True],
}
BOUNDS = [
    {"x": (0.1, 2.0), "y": (1 / 3, 2.5), "z": (0.0, 1.0), "t": (0.0, 2.0)},
    {"x": (-0.5, 2.0), "y": (1.0, 1e-3), "z": (0.5, 1.5), "t": (1.5, 0.5)},
    {"x": (1e4 / 7, 3.0), "y": (0.0, 4.0), "z": (0.0, 1.0), "t": (0.0, 2.0)},
]


def roi_of(name, bounds, label, extra):
    if hasattr(Roi, "from_values"):
        return Roi.from_values(bounds, name=name, label=label, **extra)
    starts = {axis: start for axis, (start, _) in bounds.items()}
    lengths = {f"{axis}_length": length for axis, (_, length) in bounds.items()}
    return Roi(name=name, label=label, unit="micrometer", **starts, **lengths, **extra)


def rois_of(names, labels, axes):
    rows = [dict(zip(EXTRAS, row)) for row in zip(*EXTRAS.values())]  # noqa: B905
    bounds = [{axis: each[axis] for axis in axes} for each in BOUNDS]
    return [roi_of(*each) for each in zip(names, bounds, labels, rows)]  # noqa: B905


def frame_of(names):
    columns = {STARTS[axis]: [bounds[axis][0] for bounds in BOUNDS] for axis in "xyz"}
    columns |= {f"len_{STARTS[axis]}": [bounds[axis][1] for bounds in BOUNDS] for axis in "xyz"}
    return pd.DataFrame({"FieldIndex": names, **columns, **EXTRAS}).set_index("FieldIndex")


def tables():
    """Return tables by name."""
    names, ids = ["FOV_1", "well 2", "ü"], [7, 2, 300]
    texts = list(map(str, ids))
    none = [None] * 3
    found = {
        "roi": RoiTable(rois=rois_of(names, none, "xyz")),
        "roi_t": RoiTable(rois=rois_of(names, none, "xyzt")),
        "masking": MaskingRoiTable(rois=rois_of(texts, ids, "xyz"), reference_label="nuclei"),
        "generic": GenericTable(frame_of(names)),
    }
    if int(NGIO[0]):  # others cannot read what they wrote
        found["roi_labels"] = RoiTable(rois=rois_of(names, ids, "xyz"))
        found["generic_roi"] = GenericRoiTable(rois=rois_of(names, none, "xyz"))
        found["roi_empty"] = RoiTable(rois=[])
    return found


def container_at(path, zarr_format):
    known = inspect.signature(ngio.create_empty_ome_zarr).parameters
    size = {"pixelsize": 0.5} if "pixelsize" in known else {"xy_pixelsize": 0.5}
    if "ngff_version" in known:
        size["ngff_version"] = {2: "0.4", 3: "0.5"}[zarr_format]
    container = ngio.create_empty_ome_zarr(
        path, shape=(2, 1, 4, 4), axes_names=["t", "z", "y", "x"], z_spacing=1.0, levels=1, **size
    )
    container.derive_label("nuclei")
    return container


def plain(value):
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value


def read(roi):
    """Return a region as this version of ngio has read it."""
    if hasattr(roi, "slices"):
        slices = {each.axis_name: (each.start, each.length) for each in roi.slices}
    else:
        slices = {axis: (getattr(roi, axis), getattr(roi, f"{axis}_length")) for axis in "xyzt"}
    extra = {key: plain(value) for key, value in (roi.model_extra or {}).items()}
    return {
        "name": roi.name,
        "label": plain(roi.label),
        "slices": {axis: list(map(plain, bounds)) for axis, bounds in slices.items() if None not in bounds},
        "extra": extra,
    }


def anonymous(member):
    """Forget who packed it, and when."""
    return member.replace(uid=0, gid=0, uname="", gname="", mtime=0, deep=False)


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for zarr_format in (2,) if NGIO.startswith("0.4") else (2, 3):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image"
            container = container_at(path, zarr_format)
            expected = {}
            for backend in BACKENDS:
                for kind in tables():
                    container.add_table(f"{kind}_{backend}", tables()[kind], backend=backend)
            container = ngio.open_ome_zarr_container(path)
            for name in container.list_tables():
                table = container.get_table(name)
                rois = table.rois() if hasattr(table, "rois") else _dataframe_to_rois(table.dataframe).values()
                expected[name] = [read(roi) for roi in rois]
            target = str(HERE / f"ngio-{NGIO}-zarr{zarr_format}")
            text = json.dumps(expected, ensure_ascii=False, sort_keys=True)
            Path(f"{target}.json").write_text(f"{text}\n", encoding="utf-8")
            with tarfile.open(f"{target}.tar.xz", "w:xz") as archive:
                archive.add(path, arcname="image", filter=anonymous)


if __name__ == "__main__":
    main()
