"""Whatever verbs of xarray make of an image and its labels: no id is blended, no grey level sampled, in silence."""

import warnings

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import ngio_x as nx
from ngio_x.arrays.roles import role_of
from ngio_x.errors import NgioRoleWarning, NgioTypeError, NgioValueError
from ngio_x.testing import strategies as nst

GREY, IDS, MASK = "grey levels", "ids", "a mask"
NEED_TWO_DTYPES = ("(image > t) * labels.values", "(image > t) * array", "concat(image, labels)")
"""Verbs of which nothing but the dtype tells what they make."""


def _same(kind):
    return kind


def _always(kind):
    return lambda _: kind


def _tree(array):
    return xr.DataTree.from_dict({"/0": array.to_dataset(name="a")})["0/a"]


VERBS = {
    "array + 1": (lambda a, im, ids: a + a.dtype.type(1), _same),
    "array * (labels > 0)": (lambda a, im, ids: a * (ids > 0), _same),
    "(image > t) * array": (lambda a, im, ids: (im > 2) * a, _same),
    "array * mask.values": (lambda a, im, ids: a * (ids > 0).values, _same),
    "(image > t) * labels.values": (lambda a, im, ids: (im > 2) * ids.values, _always(IDS)),
    "image * (labels == id)": (lambda a, im, ids: im * (ids == 1), _always(GREY)),
    "where, kept": (lambda a, im, ids: a.where(im > 2, 0), _same),
    "where, NaN": (lambda a, im, ids: a.where(ids > 0), _same),
    "labels.where(image)": (lambda a, im, ids: ids.where(im > 2, 0), _always(IDS)),
    "image.where(labels)": (lambda a, im, ids: im.where(ids > 0, 0), _always(GREY)),
    "xr.where(labels, 0, labels)": (lambda a, im, ids: xr.where(ids.isin([1, 3]), 0, ids), _always(IDS)),
    "xr.where(labels, image, 0)": (lambda a, im, ids: xr.where(ids > 0, im, 0), _always(GREY)),
    "xr.where, keep_attrs": (lambda a, im, ids: xr.where(im > 2, a, 0, keep_attrs=True), _same),
    "isin": (lambda a, im, ids: a.isin([1, 2]), _always(MASK)),
    "fillna": (lambda a, im, ids: a.where(ids > 0).fillna(0), _same),
    "astype wider": (lambda a, im, ids: a.astype("uint64"), _same),
    "astype float": (lambda a, im, ids: a.astype("float32"), _same),
    "concat": (lambda a, im, ids: xr.concat([a, a], "t").isel(t=0), _same),
    "concat(image, labels)": (lambda a, im, ids: xr.concat([im, ids], "t").isel(t=1), _always(IDS)),
    "groupby.map": (lambda a, im, ids: a.groupby("y").map(lambda row: row), _same),
    "apply_ufunc, edt": (lambda a, im, ids: xr.apply_ufunc(ndimage.distance_transform_edt, ids), _always(GREY)),
    "apply_ufunc, int": (
        lambda a, im, ids: xr.apply_ufunc(lambda p: ndimage.distance_transform_edt(p).astype(int), ids),
        _always(GREY),
    ),
    "apply_ufunc, label": (lambda a, im, ids: xr.apply_ufunc(lambda p: ndimage.label(p > 2)[0], im), _always(IDS)),
    "coarsen.max": (lambda a, im, ids: a.coarsen(y=1).max(), _same),
    "coarsen.sum": (lambda a, im, ids: ids.coarsen(y=2, boundary="trim").sum(), _always(GREY)),
    "max of t": (lambda a, im, ids: a.expand_dims("t").max("t"), _same),
    "sum of labels": (lambda a, im, ids: ids.expand_dims(t=2).sum("t"), _always(GREY)),
    "count": (lambda a, im, ids: ids.expand_dims(t=2).count("t"), _always(GREY)),
    "map_blocks": (lambda a, im, ids: xr.map_blocks(lambda block: block, a.chunk(y=-1)).compute(), _same),
    "shift": (lambda a, im, ids: a.shift(x=1, fill_value=0), _same),
    "roll": (lambda a, im, ids: a.roll(x=1), _same),
    "Dataset": (lambda a, im, ids: (a.to_dataset(name="a") * 1)["a"], _same),
    "Dataset.map": (lambda a, im, ids: xr.Dataset({"a": a, "im": im}).map(lambda v: v.clip(0, 9))["a"], _same),
    "Dataset.where": (lambda a, im, ids: xr.Dataset({"im": im, "ids": ids}).where(im > 2, 0)["ids"], _always(IDS)),
    "tree": (lambda a, im, ids: _tree(a), _same),
    "tree arithmetic": (
        lambda a, im, ids: (xr.DataTree.from_dict({"/0": a.to_dataset(name="a")}) * 1)["0/a"],
        _same,
    ),
    "drop_attrs": (lambda a, im, ids: a.drop_attrs(deep=False), _same),
}
"""Verbs by name: of an array, the image and the labels, and what comes out of which kind of array."""


@st.composite
def chains(draw):
    """Draw an image, its labels, an array that verbs have made of them, and what that holds."""
    shape = draw(st.tuples(st.integers(4, 7), st.integers(4, 7)))
    image = nx.as_image(draw(nst.pixels(shape, "u2")), "yx", 0.5, name="a")
    kind = draw(st.sampled_from(["u4", "i4", "u2"]))
    labels = nx.as_labels(draw(nst.label_pixels(shape)).astype(kind), like=image, name="ids")
    verbs = [verb for verb in sorted(VERBS) if kind != "u2" or verb not in NEED_TWO_DTYPES]
    array, kind = draw(st.sampled_from([(image, GREY), (labels, IDS)]))
    keep = draw(st.sampled_from(["default", True, False]))
    with xr.set_options(keep_attrs=keep):
        for name in draw(st.lists(st.sampled_from(verbs), min_size=1, max_size=3)):
            verb, becomes = VERBS[name]
            array, kind = verb(array, image, labels), becomes(kind)
            if kind == MASK or name.startswith("coarsen"):  # whose pixels are no longer those of the image
                break
    return array, kind


@given(chains())
def test_ids_are_blended_only_with_a_warning(chain):
    """Ids out ⊆ ids in, or it is said that the array was taken for an image."""
    array, kind = chain
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        zoomed = nx.zoom(array, 0.6)
    told = any(warning.category is NgioRoleWarning for warning in caught)
    if kind == IDS and not _lost(array):
        assert told or set(np.unique(zoomed.values[~np.isnan(zoomed.values)])) <= set(np.unique(array))
    if kind == GREY:
        assert told or role_of(array) != "labels"


@given(chains(), st.sampled_from(["0.4", "0.5"]))
def test_what_is_written_validates(chain, version):
    """An image or labels, whichever the array is, and never ids without a warning as an image."""
    array, kind = chain
    store = zarr.storage.MemoryStore()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nx.write_ome_zarr(array, store, version=version, levels=2)
    assert not nx.validate_ome_zarr(store).errors
    told = any(warning.category is NgioRoleWarning for warning in caught)
    written = nx.open_ome_zarr(store)["1/image"].values
    if kind == IDS and not _lost(array):
        assert told or set(np.unique(written[~np.isnan(written)])) <= set(np.unique(array))


@given(chains())
def test_objects_are_found_in_ids_or_it_is_said(chain):
    """Grey levels are refused or warned of."""
    array, kind = chain
    if array.dtype.kind not in "iu":
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = [roi.label for roi in nx.compute_masking_roi(array)]
        except NgioTypeError:
            assert role_of(array) == "image"
            return
        except NgioValueError as error:
            assert "ids must be ≥ 0" in str(error)  # noqa: PT017 — negative numbers that a verb has made
            return
    told = any(warning.category is NgioRoleWarning for warning in caught)
    assert told or (role_of(array) == "labels" and kind != GREY)
    assert found == [value for value in np.unique(array).tolist() if value]


def _lost(array):
    """Return whether nothing tells that floats were ids: those that come of labels still say so, others never did."""
    return array.dtype.kind == "f" and array.attrs.get("role") != "labels"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_verb_works_on_an_image_and_on_labels(name):
    """Else the law above would hold for want of arrays."""
    image = nx.as_image(np.arange(16, dtype="u2").reshape(4, 4), "yx", 0.5)
    labels = nx.as_labels(np.arange(16, dtype="u4").reshape(4, 4) // 4, like=image)
    for array in (image, labels):
        assert VERBS[name][0](array, image, labels).ndim == 2
