"""Laws of grids: what an image says of its pixels is true or is not said, and rounded sizes change nothing."""

import pickle

import attrs
import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.lattice import Lattice
from ngio_x.errors import NgioValueError
from ngio_x.testing.strategies import images, label_pixels

# ---- No coordinate attribute is stale


@attrs.frozen
class Truth:
    """An array, and what its pixels cover, kept beside it by arithmetic of our own."""

    array: xr.DataArray
    edge: float = 0.0
    size: float = 0.5
    outdated: bool = False
    """Whether a verb that xarray alone knows of changed the size that they tell."""

    @property
    def count(self):
        return self.array.sizes["x"]

    @property
    def ordinary(self):
        return not isinstance(self.array.xindexes["x"], nx.arrays.pixel_index.PixelIndex)

    def changed(self, array, edge, size):
        """Return the truth after a verb that changes sizes."""
        outdated = self.outdated or (self.ordinary and size != self.size and "spacing" in self.array.x.attrs)
        return Truth(array, edge, size, outdated)


def coarsen(truth, k):
    side = "left" if k % 2 else "right"
    if truth.count < k:
        return truth
    lost = truth.count % k if side == "right" else 0
    array = truth.array.coarsen(x=k, boundary="trim", side=side).mean()
    return truth.changed(array, truth.edge + lost * truth.size, truth.size * k)


def coarsen_dataset(truth, k):
    if truth.count % k:
        return truth
    return truth.changed(truth.array.to_dataset().coarsen(x=k).max()["v"], truth.edge, truth.size * k)


def one(truth, k):
    place = k % truth.count
    return attrs.evolve(truth, array=truth.array.isel(x=[place]), edge=truth.edge + place * truth.size)


def some(truth, k):
    start = k % truth.count
    return attrs.evolve(truth, array=truth.array.isel(x=slice(start, None)), edge=truth.edge + start * truth.size)


def thin(truth, k):
    edge = truth.edge + truth.size / 2 * (1 - k)
    return truth.changed(truth.array.thin(x=k), edge, truth.size * k)


def scale(truth, k):
    return truth.changed(truth.array.assign_coords(x=truth.array.x * k), truth.edge * k, truth.size * k)


def turn_twice(truth, k):
    return attrs.evolve(truth, array=truth.array.isel(x=slice(None, None, -1)).sortby("x"))


def join_pieces(truth, k):
    cut = k % truth.count
    pieces = [truth.array.isel(x=part) for part in (slice(0, cut), slice(cut, None))]
    return attrs.evolve(truth, array=xr.concat([piece for piece in pieces if piece.size], "x"))


def join_pixels(truth, k):
    return attrs.evolve(truth, array=xr.concat([truth.array.isel(x=[i]) for i in range(truth.count)], "x"))


def join_chosen(truth, k):
    return attrs.evolve(truth, array=xr.concat([truth.array.isel(x=i) for i in range(truth.count)], "x"))


def reopen(truth, k):
    labels = xr.Variable("x", truth.array.x.values, dict(truth.array.x.attrs))
    return attrs.evolve(truth, array=xr.DataArray(truth.array.values, {"x": labels}, "x", "v"))


def rebuild(truth, k):
    array = truth.array
    return attrs.evolve(truth, array=xr.DataArray(array.values, {"x": array.x}, "x", "v"))


def store(truth, k):
    return attrs.evolve(truth, array=pickle.loads(pickle.dumps(truth.array)))


def blocks(truth, k):
    lazy = truth.array.chunk(x=1)
    return attrs.evolve(truth, array=xr.map_blocks(lambda block: block + 1, lazy, template=lazy).compute())


def relabel(truth, k):
    try:
        return Truth(nx.as_image(truth.array), truth.edge, truth.size, outdated=truth.outdated and truth.count == 1)
    except NgioValueError:
        return truth


def in_pixels_of_before(truth):
    """Return whether a lone label lies in pixels of the size that it tells as others did: nothing can tell then."""
    told = truth.array.x.attrs
    place = truth.array.x.item() / told["spacing"] - told["phase"]
    return abs(place - round(place)) < 0.011


VERBS = [
    coarsen,
    coarsen_dataset,
    one,
    some,
    thin,
    scale,
    turn_twice,
    join_pieces,
    join_pixels,
    join_chosen,
    reopen,
    rebuild,
    store,
    blocks,
    relabel,
]


@given(st.integers(1, 30), st.lists(st.tuples(st.sampled_from(VERBS), st.integers(1, 4)), max_size=6))
def test_no_coordinate_attribute_is_stale(count, chain):
    """Along any chain of verbs an image knows the extent of its pixels, or says that it does not know.

    But for one pixel that is left of labels of which xarray alone changed the distance after it had coarsened them.
    """
    truth = Truth(nx.as_image(np.zeros(count), "x", 0.5, name="v"))
    for verb, k in chain:
        truth = verb(truth, k)
        assume(not (truth.outdated and truth.count == 1 and in_pixels_of_before(truth)))
        try:
            found = lattice_of(truth.array, "x")
        except NgioValueError as error:
            assert truth.count == 1
            assert "as_image" in str(error)  # noqa: PT017 — to say nothing is as right
            continue
        expected = truth.edge, truth.edge + truth.count * truth.size
        np.testing.assert_allclose(found.extent, expected, rtol=1e-12, atol=1e-12 * truth.size)
        if not truth.ordinary:
            assert truth.array.x.attrs.get("spacing", found.spacing) == found.spacing


# ---- Sizes that were rounded

NUMBERS = st.integers(-400, 400)
STRETCHES = st.sampled_from([0.0, 1e-9, 3e-8, 1e-6, 1e-5, 1e-4, 1e-3, 0.5]) | st.floats(0, 1e-3)


@st.composite
def pairs_of_lattices(draw):
    """Draw two rows of pixels of about one size, whose distance is about a whole number of pixels."""
    size = draw(st.sampled_from([0.65, 0.1, 1.0, 0.325]))
    first = Lattice(draw(st.sampled_from([0.0, 7.3])), size, draw(st.integers(1, 3000)), draw(NUMBERS))
    shift = draw(NUMBERS) + draw(st.sampled_from([0.0, 5e-4, 2e-3, 0.3]))
    stretched = size * (1 + draw(STRETCHES))
    second = Lattice(first.origin + shift * size, stretched, draw(st.integers(1, 3000)), draw(NUMBERS))
    return first, second


def offset(one, other, over="shared"):
    try:
        return one.offset_of(other, over)
    except NgioValueError:
        return None


@given(pairs_of_lattices(), st.sampled_from(["shared", "hull"]))
def test_being_of_one_lattice_is_symmetric(pair, over):
    """In either order two rows are on one lattice or not, and agree on where each other lies."""
    there, back = offset(*pair, over), offset(*reversed(pair), over)
    assert (there is None) == (back is None)
    assert there is None or there == -back


@st.composite
def pairs_on_one_lattice(draw):
    """Draw two rows that share pixels, and how far the second begins after the first."""
    size = draw(st.sampled_from([0.65, 0.1, 1.0, 0.325]))
    counts = [draw(st.integers(1, 3000)) for _ in range(2)]
    found = draw(st.integers(1 - counts[1], counts[0] - 1))
    first = Lattice(draw(st.sampled_from([0.0, 7.3])), size, counts[0], draw(NUMBERS))
    shift, stretch = draw(NUMBERS), draw(st.floats(0, 3e-6))  # 3000 pixels of them are 0.009
    origin = first.origin + (shift + draw(st.sampled_from([0.0, 5e-4]))) * size
    return first, Lattice(origin, size * (1 + stretch), counts[1], first.start + found - shift), found


@given(pairs_on_one_lattice())
def test_pixels_that_count_as_the_same_stay_within_a_hundredth_of_each_other(pair):
    """Over what two rows share, measured from where they begin to."""
    one, other, found = pair
    assert offset(one, other) == found
    low, high = max(0, found), min(one.size, found + other.size)
    ends = ((one, np.array([low, high])), (other, np.array([low, high]) - found))
    edges = [lattice.origin + (lattice.start + at) * lattice.spacing for lattice, at in ends]
    assert abs(np.diff(edges[0] - edges[1]).item()) / one.spacing < 0.01


@given(pairs_on_one_lattice(), st.data())
def test_pieces_that_share_pixels_are_of_one_lattice_where_the_wholes_are(pair, data):
    """At the place that the wholes tell: what fits in an image fits in its crops."""
    one, other, found = pair
    low, high = max(0, found), min(one.size, found + other.size)
    shared = data.draw(st.integers(low, high - 1))
    pieces, starts = [], []
    for lattice, at in ((one, shared), (other, shared - found)):
        starts.append(data.draw(st.integers(0, at)))
        pieces.append(
            lattice.strided(starts[-1], data.draw(st.integers(at - starts[-1] + 1, lattice.size - starts[-1])))
        )
    assert offset(*pieces) == found + starts[1] - starts[0]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(-30, 30), st.sampled_from(["inner", "outer", "left"]))
def test_alignment_of_rounded_sizes_is_that_of_equal_ones(size, other_size, start, join):
    """The integers decide: arrays of 0.65 and of its float32 share the pixels that arrays of 0.65 share."""
    values = np.arange(1.0, 101.0)
    arrays = []
    for spacing in (0.65, float(np.float32(0.65)), 0.65):
        image = nx.as_image(values, "x", spacing, origin={"x": 13 * spacing})
        arrays.append(image.isel(x=slice(40 + start, 40 + start + other_size)))
    first = nx.as_image(values, "x", 0.65, origin={"x": 13 * 0.65}).isel(x=slice(40, 40 + size))
    rounded, equal = (xr.align(first, other, join=join, fill_value=0) for other in arrays[1:])
    for ours, theirs in zip(rounded, equal, strict=True):
        np.testing.assert_array_equal(ours.values, theirs.values)
        assert lattice_of(ours, "x").offset_of(lattice_of(theirs, "x")) == 0
    turned = xr.align(arrays[1], first, join="inner")
    np.testing.assert_array_equal(turned[0].values, turned[1].values)


# ---- Windows of a stack


@given(images(), st.data())
def test_every_window_of_a_stack_goes_back_to_its_place(image, data):
    """Whatever its shape; what lies beyond the image is dropped, and nothing else changes."""
    labels = nx.as_labels(data.draw(label_pixels(image.shape)), like=image)
    stack = nx.stack_objects(image, labels, data.draw(st.integers(1, 12)))
    for label in stack.label.values:
        xr.testing.assert_identical(nx.paste(image, stack.sel(label=label)), image)
        with pytest.raises(NgioValueError, match="window of a stack"):
            xr.align(stack.sel(label=label), image)
