"""Laws of tables: reading undoes writing, also through ngio, whatever the image, its frame and the backend."""

import math
import warnings

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.errors import NgioValidationError
from ngio_x.ngff.tables.csv_text import columns_of_csv, csv_text
from ngio_x.testing.strategies import dyadic_numbers, roi_tables
from ngio_x.testing.strategies.regions import texts, values

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ngio

BACKENDS = ("csv", "json", "parquet", "anndata_v1")
UNITS = {"micrometer": 1.0, "nanometer": 1000.0, "millimeter": 0.001, "inch": 1 / 25400}

words = st.text("abc XYZ_,;\"'é", min_size=1, max_size=4)


@st.composite
def image_stores(draw, dims="tzyx", units=("micrometer",), store=None):
    """Draw images in memory: of both versions, in any frame, anywhere, in any unit."""
    unit = draw(st.sampled_from(units))
    origin = {axis: draw(dyadic_numbers()) * UNITS[unit] for axis in dims}
    sizes = {axis: draw(st.sampled_from((0.125, 0.5, 2.0))) * UNITS[unit] for axis in dims}
    labels = {axis: "second" if axis == "t" else unit for axis in dims}
    image = nx.as_image(np.zeros([2] * len(dims), "u1"), tuple(dims), sizes, origin=origin, units=labels)
    store = zarr.storage.MemoryStore() if store is None else store
    version, frame = draw(st.sampled_from(("0.4", "0.5"))), draw(st.sampled_from((None, "corner", "center")))
    nx.write_ome_zarr(image, store, version=version, levels=1, frame=frame, overwrite=True)
    nx.write_labels(nx.as_labels(np.zeros([2] * len(dims), "u1"), tuple(dims), like=image), store, "cells")
    return store


def are_close(found, expected):
    return all(
        math.isclose(ours.start, theirs.start, rel_tol=1e-9, abs_tol=1e-9 * scale)
        and math.isclose(ours.length, theirs.length, rel_tol=1e-9)
        for roi, other in zip(found, expected, strict=True)
        for ours, theirs in ((roi[axis.axis_name], axis) for axis in other.slices)
        for scale in [max(abs(axis.start) for axis in other.slices) + 1]
    )


def said(rois):
    """What regions say besides their bounds, with types."""
    return [(roi.name, roi.label, {key: (type(value), value) for key, value in roi.extra.items()}) for roi in rois]


@given(st.data(), st.sampled_from(BACKENDS), st.sampled_from(("roi_table", "generic_table")))
def test_reading_a_table_undoes_writing_it(data, backend, table_type):
    store = data.draw(image_stores())
    rois = data.draw(roi_tables("tzyx"))
    frame = data.draw(st.sampled_from((None, "corner", "center")))
    nx.write_rois(store, "a", rois, backend=backend, table_type=table_type, frame=frame)
    found = nx.read_rois(store, "a", frame=frame)
    assert found == rois
    assert said(found) == said(rois)
    assert nx.list_tables(store, table_type=table_type) == ["a"]


@given(st.data(), st.sampled_from(BACKENDS))
def test_reading_a_masking_table_undoes_writing_it(data, backend):
    store = data.draw(image_stores())
    rois = [roi for roi in data.draw(roi_tables("zyx")) if roi.label is not None]
    nx.write_rois(store, "a", rois, backend=backend, table_type="masking_roi_table", label="cells")
    assert nx.read_rois(store, "a") == rois


@given(st.data(), st.sampled_from(BACKENDS))
def test_regions_are_where_they_were_in_any_unit(data, backend):
    store = data.draw(image_stores(units=tuple(UNITS)))
    rois = data.draw(roi_tables("zyx"))
    nx.write_rois(store, "a", rois, backend=backend)
    found = nx.read_rois(store, "a")
    assert said(found) == said(rois)
    assert are_close(found, rois)


@given(st.data(), st.sampled_from(BACKENDS), st.sampled_from(("yx", "zyx")))
def test_a_flat_region_gets_the_planes_of_its_image(data, backend, dims):
    """All of a stack; [0, 1) where the image has none."""
    store = data.draw(image_stores(dims))
    rois = data.draw(roi_tables("yx"))
    nx.write_rois(store, "a", rois, backend=backend)
    image = nx.open_ome_zarr(store)["0/image"]
    lattice = image.xindexes["z"].lattice if "z" in dims else None
    whole = (0.0, 1.0) if lattice is None else (lattice.edge, lattice.size * lattice.spacing)
    assert nx.read_rois(store, "a") == [roi.update_slice("z", whole) for roi in rois]


@given(st.data(), st.sampled_from(BACKENDS))
def test_regions_of_a_table_crop_what_they_cropped_before(data, backend):
    store = data.draw(image_stores("zyx"))
    frame = data.draw(st.sampled_from((None, "corner", "center")))
    image = nx.open_ome_zarr(store, frame=frame)["0/image"]
    start = {axis: data.draw(st.integers(0, 1)) for axis in "zyx"}
    roi = nx.Roi.from_values({axis: (at, 2 - at) for axis, at in start.items()}, "a", space="pixel")
    nx.write_rois(store, "a", [roi], backend=backend, frame=frame)
    (found,) = nx.read_rois(store, "a", frame=frame)
    assert nx.crop(image, found).identical(nx.crop(image, roi))


@given(st.data(), st.sampled_from(BACKENDS), st.booleans())
def test_ngio_reads_what_was_written_and_writes_what_is_read(tmp_path_factory, data, backend, masking):
    """Bounds from level 0's corner, in micrometers; names that are no numbers, which csv would not keep for it."""
    path = tmp_path_factory.getbasetemp() / "law.zarr"
    data.draw(image_stores(store=path))
    rois = data.draw(roi_tables("tzyx", names=words.map("n{}".format), gaps=False))
    rois = [nx.Roi(roi.name, roi.slices, roi.label) for roi in rois]
    options = {}
    if masking:
        rois = [nx.Roi(str(roi.label), roi.slices, roi.label) for roi in rois if roi.label is not None]
        options = {"table_type": "masking_roi_table", "label": "cells"}
    nx.write_rois(path, "a", rois, backend=backend, **options)
    image = nx.open_ome_zarr(path)["0/image"]
    edges = {axis: image.xindexes[axis].lattice.edge for axis in "tzyx"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = ngio.open_ome_zarr_container(path).get_table("a")
        theirs = [
            nx.Roi.from_values(
                {each.axis_name: (each.start + edges[each.axis_name], each.length) for each in roi.slices},
                roi.name,
                roi.label,
            )
            for roi in table.rois()
        ]
        assert theirs == rois
        ngio.open_ome_zarr_container(path).add_table("b", table, backend=backend)
    assert nx.read_rois(path, "b") == rois


@given(st.data())
def test_a_table_that_is_refused_leaves_no_trace(data):
    store = data.draw(image_stores("zyx"))
    rois = data.draw(roi_tables("zyx"))
    nx.write_rois(store, "a", rois)
    before = {key: value.to_bytes() for key, value in store._store_dict.items()}
    bad = nx.Roi("bad", (nx.RoiSlice("y", 1.0), nx.RoiSlice("x", 0.0, 1.0)))
    for name in "ab":
        with pytest.raises(NgioValidationError, match="'bad': open-ended along 'y'"):
            nx.write_rois(store, name, [*rois, bad], overwrite=True)
    assert {key: value.to_bytes() for key, value in store._store_dict.items()} == before


@st.composite
def columns(draw):
    count = draw(st.integers(0, 4))
    kinds = draw(st.dictionaries(texts, st.sampled_from(list(values)), min_size=2, max_size=4))
    return {
        name: draw(st.lists(st.none() | values[kind], min_size=count, max_size=count)) for name, kind in kinds.items()
    }


@given(columns())
def test_columns_of_csv_text_come_back_with_their_types(given_columns):
    found = columns_of_csv(csv_text(given_columns))
    assert found == given_columns
    assert [[*map(type, column)] for column in found.values()] == [
        [*map(type, column)] for column in given_columns.values()
    ]
