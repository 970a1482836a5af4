"""Laws of pyramids on disk: regions rebuild what all would, layouts never change a pixel, and work that was cut off."""

import itertools
import math
from unittest import mock

import dask
import dask.array as da
import numpy as np
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.pyramid import planner
from ngio_x.pyramid.build import build_pyramid
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing import strategies
from ngio_x.testing.strategies import chunkings, level_shapes, windows

AXES = ("a", "b", "c")
modes = st.sampled_from(("numpy", "dask", "coarsen"))
schedulers = st.sampled_from(("sync", "threads"))
integers = ("u1", "i2", ">u2", "i4", "u8")
floats = ("f4", ">f4", "f8")


@st.composite
def formats_of(draw, shape, dtype, largest=99):
    """Options of an array: version, separator, memory order, chunks, shards, compressor, fill value."""
    options = {"zarr_format": draw(st.sampled_from((2, 3))), "dtype": dtype, "shape": shape}
    chunks = tuple(draw(st.integers(1, min(size + 2, largest))) for size in shape)
    options["chunks"] = chunks
    options["fill_value"] = draw(st.sampled_from((0, 7)))
    if draw(st.booleans()):
        options["compressors"] = None
    separator = draw(st.sampled_from("./"))
    if options["zarr_format"] == 2:
        options["order"] = draw(st.sampled_from("CF"))
        options["chunk_key_encoding"] = {"name": "v2", "separator": separator}
    else:
        options["chunk_key_encoding"] = {"name": "default", "separator": separator}
        if draw(st.booleans()):
            options["shards"] = tuple(chunk * draw(st.integers(1, 3)) for chunk in chunks)
    return options


def pyramid_of(pixels, options):
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    source, *targets = [zarr.create_array(group.store, name=str(at), **each) for at, each in enumerate(options)]
    source[...] = pixels
    return source, targets


def chain(pixels, shapes, order, mode):
    """The levels, each by numpy_zoom of the one before."""
    if mode == "coarsen":
        order = {"linear": "mean", "nearest": "mode"}.get(order, order)
    for shape in shapes:
        pixels = nx.numpy_zoom(pixels, target_shape=shape, order=order)
        yield pixels


@st.composite
def limits(draw):
    """What is worth a task: for so small arrays, fewer bytes than for real ones."""
    names = ("_READ", "_PIECE", "_AT_ONCE", "_HELD")
    return {name: draw(st.sampled_from((1, 30, 300, 2**23))) for name in names}


@st.composite
def spellings_of(draw, window, shape):
    """The same region as tuple, list, mapping by position or name, or Roi, with numbers of any kind and sign."""

    def number(value, size):
        kinds = [
            value,
            np.int64(value),
            np.uint8(value),
            *([value - size, np.int32(value - size)] if value < size else []),
        ]
        return draw(st.sampled_from(kinds))

    selections = []
    for part, size in zip(window, shape, strict=True):
        start, stop = number(part.start, size), number(part.stop, size)
        spelled = [slice(start, stop)]
        if part == slice(0, size):
            spelled += [slice(None), slice(None, stop), slice(start, None)]
        if part.start < part.stop:
            spelled += [range(part.start, part.stop), np.arange(part.start, part.stop) - size]
        if part.stop - part.start == 1:
            spelled += [start, [start]]
        selections.append(draw(st.sampled_from(spelled)))
    form = draw(st.sampled_from(("tuple", "ellipsis", "positions", "negative", "names", "roi")))
    match form:
        case "tuple":
            return tuple(selections)
        case "ellipsis":
            at = draw(st.integers(0, len(selections)))
            return (*selections[:at], ..., *selections[at:])
        case "positions":
            return dict(enumerate(selections))
        case "negative":
            return {at - len(shape): selection for at, selection in enumerate(selections)}
        case "names":
            named = dict(zip(AXES, selections, strict=False))
            return {axis: named[axis] for axis in draw(st.permutations(sorted(named)))}
    # A Roi may touch its first and last pixels in part, reach beyond the array, and speak of axes that are not there.
    bounds = {}
    for axis, part, size in zip(AXES, window, shape, strict=False):
        start, stop = float(part.start), float(part.stop)
        if start < stop:
            start += draw(st.sampled_from((0, 0.25, 0.005, -0.005)))
            stop -= draw(st.sampled_from((0, 0.5, 0.005, -0.005)))
            stop += 9 * (part.stop == size and draw(st.booleans()))
        bounds[axis] = slice(start, stop) if start < stop else slice(start, start)
    return nx.Roi.from_values({**bounds, "q": slice(0, 1), "r": slice(None)}, None, space="pixel")


@given(st.data(), level_shapes(), st.sampled_from(sorted(KERNELS)), limits())
def test_rebuilding_what_a_change_reaches_is_rebuilding_all(data, shapes, order, given_limits):
    """For every kernel, data type, format and mode, with regions in any mixture of spellings; signs of NaN aside."""
    mode = data.draw(modes.filter(lambda mode: (mode, order) != ("coarsen", "cubic")))
    dtype = data.draw(st.sampled_from(integers + floats))
    pixels = data.draw(strategies.pixels(shapes[0], dtype))
    source, targets = pyramid_of(pixels, [data.draw(formats_of(shape, dtype)) for shape in shapes])
    with mock.patch.multiple(planner, **given_limits), dask.config.set(scheduler=data.draw(schedulers)):
        nx.consolidate_pyramid(source, targets[::-1], order, mode)
        edits = data.draw(st.lists(windows(shapes[0], min_size=0), max_size=3))
        for window in edits:
            pixels[window] = data.draw(strategies.pixels(pixels[window].shape, dtype))
        source[...] = pixels
        regions = [data.draw(spellings_of(window, shapes[0])) for window in edits]
        nx.consolidate_pyramid(source, targets, order, mode, regions, axes=AXES[: len(shapes[0])])
    for target, expected in zip(targets, chain(pixels, shapes[1:], order, mode), strict=True):
        assert_array_equal(target[...], expected.astype(target.dtype))


@given(st.data(), level_shapes(), st.sampled_from(sorted(KERNELS)), limits())
def test_chunks_shards_and_joined_levels_never_change_a_pixel(data, shapes, order, given_limits):
    """On disk, whatever source and targets look like, each of them its own way, levels are a chain of numpy_zoom."""
    mode = data.draw(modes.filter(lambda mode: (mode, order) != ("coarsen", "cubic")))
    dtype = np.dtype(data.draw(st.sampled_from(integers + floats)))
    dtypes = st.sampled_from((dtype, dtype.newbyteorder("S")))  # of either byte order
    pixels = data.draw(strategies.pixels(shapes[0], dtype))
    options = [data.draw(formats_of(shape, data.draw(dtypes))) for shape in shapes]
    source, targets = pyramid_of(pixels, options)
    units, seen = nx.plan_pyramid(source, targets, order, mode).unit_count, []
    with mock.patch.multiple(planner, **given_limits), dask.config.set(scheduler=data.draw(schedulers)):
        nx.consolidate_pyramid(source, targets, order, mode, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (units, units)
    assert_array_equal(source[...], pixels)
    for target, expected in zip(targets, chain(pixels, shapes[1:], order, mode), strict=True):
        assert_array_equal(target[...], expected)


@given(st.data(), level_shapes(), st.sampled_from(sorted(KERNELS)), limits())
def test_building_at_once_is_writing_level_0_and_consolidating(data, shapes, order, given_limits):
    """For every kernel, data type, format, mode and scheduler, from numpy and from any chunks of dask."""
    mode = data.draw(modes.filter(lambda mode: (mode, order) != ("coarsen", "cubic")))
    dtype = data.draw(st.sampled_from(integers + floats + (("?",) if order == "nearest" else ())))
    shapes = shapes[: data.draw(st.integers(1, len(shapes)))]
    pixels = data.draw(strategies.pixels(shapes[0], dtype))
    options = [data.draw(formats_of(shape, dtype)) for shape in shapes]
    source, targets = pyramid_of(pixels, options)
    given_pixels = pixels.copy()
    given_pixels.flags.writeable = False
    if data.draw(st.booleans()):
        given_pixels = da.from_array(given_pixels, data.draw(chunkings(shapes[0])))
    built, coarser = pyramid_of(np.zeros_like(pixels), options)
    last, seen = data.draw(st.permutations(coarser)), []
    with mock.patch.multiple(planner, **given_limits), dask.config.set(scheduler=data.draw(schedulers)):
        nx.consolidate_pyramid(source, targets, order, mode)
        build_pyramid(given_pixels, [built, *last], order, mode, progress=lambda *counts: seen.append(counts))
    for expected, found in zip([source, *targets], [built, *coarser], strict=True):
        assert_array_equal(found[...], expected[...])
    done, total = zip(*seen, strict=True)
    assert list(done) == sorted(set(done))
    assert {done[-1]} == set(total)


@given(st.data(), level_shapes(), st.sampled_from(sorted(KERNELS)))
def test_what_a_change_does_not_reach_is_not_written(data, shapes, order):
    """Levels are filled with a mark: it stays but in units that are rebuilt, and those are as the whole would be."""
    options = [data.draw(formats_of(shape, "f8")) for shape in shapes]
    pixels = data.draw(strategies.pixels(shapes[0], "f8"))
    source, targets = pyramid_of(pixels, options)
    window = data.draw(windows(shapes[0], min_size=0))
    for target in targets:
        target[...] = -77.0
    plan = nx.plan_pyramid(source, targets, order, "numpy", [window])
    nx.consolidate_pyramid(source, targets, order, "numpy", [window])
    rebuilt = [np.zeros(shape, bool) for shape in shapes]
    for part in itertools.chain.from_iterable(task.parts for each in plan.passes for task in each.tasks()):
        rebuilt[part.level][part.written] = True
    for at, target in enumerate(targets, 1):
        assert (target[...][~rebuilt[at]] == -77.0).all()
    # Only pixels of the first target are made of nothing but the source.
    first = nx.numpy_zoom(pixels, target_shape=shapes[1], order=order)
    assert_array_equal(targets[0][...][rebuilt[1]], first[rebuilt[1]])


@given(st.data(), level_shapes(), st.sampled_from(sorted(KERNELS)))
def test_a_pixel_that_changes_is_within_what_is_rebuilt(data, shapes, order):
    """One pixel becomes NaN, or another number: wherever a level differs, the plan of that pixel writes."""
    pixels = data.draw(strategies.pixels(shapes[0], "f8"))
    place = tuple(data.draw(st.integers(0, size - 1)) for size in shapes[0])
    changed = pixels.copy()
    changed[place] = data.draw(st.sampled_from((np.nan, 1e6, -np.inf)))
    source, targets = pyramid_of(pixels, [data.draw(formats_of(shape, "f8")) for shape in shapes])
    plan = nx.plan_pyramid(source, targets, order, regions=[place])
    written = [np.zeros(shape, bool) for shape in shapes]
    for part in itertools.chain.from_iterable(task.parts for each in plan.passes for task in each.tasks()):
        written[part.level][part.written] = True
    both = zip(chain(pixels, shapes[1:], order, ""), chain(changed, shapes[1:], order, ""), strict=True)
    for at, (before, after) in enumerate(both, 1):
        differs = ~((before == after) | (np.isnan(before) & np.isnan(after)))
        assert written[at][differs].all()


class Interrupted(Exception):  # noqa: N818 — as KeyboardInterrupt
    """What a progress function raises to cut a run off."""


class Edits(RuleBasedStateMachine):
    """Edit, consolidate some or all of it, cut runs off: once all edits were consolidated, all levels are right."""

    @initialize(
        data=st.data(),
        shapes=level_shapes(1, max_size=24) | level_shapes(2, max_size=12) | level_shapes(3, max_size=6),
        order=st.sampled_from(sorted(KERNELS)),
        dtype=st.sampled_from(("u1", ">i2", "f4")),
        given_limits=limits(),
    )
    def start(self, data, shapes, order, dtype, given_limits):
        self.shapes, self.order, self.dtype, self.limits = shapes, order, dtype, given_limits
        self.pixels = data.draw(strategies.pixels(shapes[0], dtype))
        self.source, self.targets = pyramid_of(
            self.pixels, [data.draw(formats_of(shape, dtype, 4)) for shape in shapes]
        )
        self.open = []  # edits that no run has finished
        self.run(None, "numpy", math.inf)

    @rule(data=st.data())
    def change(self, data):
        self.edit(data)

    def edit(self, data):
        window = data.draw(windows(self.shapes[0]))
        self.pixels[window] = data.draw(strategies.pixels(self.pixels[window].shape, self.dtype))
        self.source[window] = self.pixels[window]
        self.open.append(window)

    @rule(data=st.data(), mode=st.sampled_from(("numpy", "dask")))
    def consolidate_some(self, data, mode):
        chosen = data.draw(st.sets(st.integers(0, len(self.open) - 1))) if self.open else set()
        self.run([(at, data.draw(spellings_of(self.open[at], self.shapes[0]))) for at in sorted(chosen)], mode)

    @rule(data=st.data(), mode=st.sampled_from(("numpy", "dask")))
    def consolidate_what_is_open(self, data, mode):
        self.run([(at, data.draw(spellings_of(each, self.shapes[0]))) for at, each in enumerate(self.open)], mode)

    @rule(mode=st.sampled_from(("numpy", "dask")))
    def consolidate_all(self, mode):
        self.run(None, mode)

    @rule(data=st.data(), mode=st.sampled_from(("numpy", "dask")), everything=st.booleans(), after=st.integers(1, 2))
    def cut_off(self, data, mode, everything, after):
        """What a run that was cut off was to do is left to the next one, whatever that one is asked for."""
        self.edit(data)
        chosen = [(at, data.draw(spellings_of(each, self.shapes[0]))) for at, each in enumerate(self.open)]
        self.run(None if everything else chosen, mode, after)

    def run(self, chosen, mode, after=math.inf):
        calls = itertools.count(1)

        def progress(done, total):
            if next(calls) >= after:
                raise Interrupted

        regions = None if chosen is None else [region for _, region in chosen]
        try:
            with mock.patch.multiple(planner, **self.limits), dask.config.set(scheduler="sync"):
                axes = AXES[: self.source.ndim]
                nx.consolidate_pyramid(
                    self.source, self.targets, self.order, mode, regions, axes=axes, progress=progress
                )
        except Interrupted:
            pass
        # Done, or remembered by the marks of the run.
        done = set(range(len(self.open))) if chosen is None else {at for at, _ in chosen}
        self.open = [window for at, window in enumerate(self.open) if at not in done]
        self.cut_short = next(calls) > after

    @invariant()
    def levels_are_right_if_nothing_is_open(self):
        if self.open or self.cut_short:
            return
        for target, expected in zip(
            self.targets, chain(self.pixels, self.shapes[1:], self.order, "numpy"), strict=True
        ):
            assert_array_equal(target[...], expected)


def test_levels_are_right_whenever_all_edits_were_consolidated():
    """A state machine: edits, runs of some or all of them in any spelling, and runs that were cut off."""
    Edits.TestCase.settings = settings(max_examples=settings().max_examples // 2 + 1, stateful_step_count=10)
    Edits.TestCase("runTest").runTest()
