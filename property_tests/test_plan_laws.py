"""Laws of plans: which write units tasks make, of which windows, and what is counted of them."""

import itertools
import pickle
from collections import Counter
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from ngio_x.pyramid import planner
from ngio_x.pyramid.boxes import boxes_of, window_of
from ngio_x.pyramid.layout import Layout
from ngio_x.pyramid.planner import levels_order, plan_changes, plan_whole
from ngio_x.resample.kernels import KERNELS

orders = st.sampled_from(sorted(KERNELS))
_SIDES = {1: 60, 2: 20, 3: 8, 4: 5}
_LIMITS = ("_READ", "_PIECE", "_AT_ONCE", "_HELD")


@st.composite
def layouts_of(draw, name, shape, itemsize):
    chunks = tuple(draw(st.integers(1, size + 2)) for size in shape)
    times = tuple(draw(st.sampled_from((1, 1, 1, 2, 3))) for _ in shape)
    return Layout(name, shape, chunks, tuple(c * t for c, t in zip(chunks, times, strict=True)), itemsize)


@st.composite
def pyramids(draw):
    """The source and up to three targets, in any order; some shrink along one axis only."""
    ndim, itemsize = draw(st.integers(1, 4)), draw(st.sampled_from((1, 2, 8)))
    shapes = [tuple(draw(st.integers(1, _SIDES[ndim])) for _ in range(ndim))]
    for _ in range(draw(st.integers(1, 3))):
        finer = draw(st.sampled_from(shapes))
        shapes.append(tuple(draw(st.just(size) | st.integers(1, size)) for size in finer))
    return [draw(layouts_of(str(index), shape, itemsize)) for index, shape in enumerate(shapes)]


@st.composite
def boxes_in(draw, shape):
    starts = [draw(st.integers(0, size - 1)) for size in shape]
    return tuple((start, draw(st.integers(start + 1, size))) for start, size in zip(starts, shape, strict=True))


@st.composite
def limits(draw):
    """What is worth a task: for so small arrays, fewer bytes than for real ones."""
    return {name: draw(st.sampled_from((1, 20, 200, 2**23))) for name in _LIMITS}


def plan_of(layouts, order, changed, given_limits):
    """The plan of everything, or of what a change reaches, from a planner with limits to scale."""
    edges = levels_order([layout.shape for layout in layouts])
    with mock.patch.multiple(planner, **given_limits):
        if changed is None:
            return plan_whole(layouts, KERNELS[order], edges)
        return plan_changes(layouts, KERNELS[order], edges, changed)


@st.composite
def plans(draw):
    layouts = draw(pyramids())
    changed = draw(st.none() | st.lists(boxes_in(layouts[0].shape), max_size=3))
    return plan_of(layouts, draw(orders), changed, draw(limits()))


def tasks_of(plan):
    return [task for each in plan.passes for task in each.tasks()]


def inputs_of(order, n, m, i):
    """The inputs that an output weighs, from its own row; an axis that keeps its size is copied."""
    if n == m:
        return {i}
    first, weights, _ = KERNELS[order].rows(n, m, i, i + 1)
    return {min(max(int(first[0]) + tap, 0), n - 1) for tap in range(weights.shape[1]) if weights[0, tap] != 0}


def all_inputs(order, shape, target_shape, window):
    """The inputs along each axis that a window of outputs is made of."""
    return [
        set().union(*(inputs_of(order, n, m, i) for i in range(part.start, part.stop)))
        for n, m, part in zip(shape, target_shape, window, strict=True)
    ]


def reached_pixels(order, changed, target_shape):
    """Which outputs weigh an input that has changed, axis by axis."""
    for axis, m in enumerate(target_shape):
        n = changed.shape[axis]
        runs = [changed.take(sorted(inputs_of(order, n, m, i)), axis).any(axis=axis) for i in range(m)]
        changed = np.stack(runs, axis)
    return changed


def grid_of(layout, mask):
    """Which write units hold a pixel of a mask."""
    return {tuple(part.start for part in window) for window in layout.units() if mask[window].any()}


def units_in(layout, window):
    """The corners of the write units in a window, one by one."""
    return [
        tuple(part.start for part in unit)
        for unit in layout.units()
        if all(a.start < b.stop and b.start < a.stop for a, b in zip(unit, window, strict=True))
    ]


@given(pyramids(), orders, limits())
def test_tasks_of_a_whole_plan_write_every_pixel_once(layouts, order, given_limits):
    plan = plan_of(layouts, order, None, given_limits)
    written = [np.zeros(layout.shape, int) for layout in layouts]
    for task in tasks_of(plan):
        for part in task.parts:
            if part.written is not None:
                written[part.level][part.written] += 1
    assert not written[0].any()
    assert all((each == 1).all() for each in written[1:])


@given(pyramids(), orders, limits(), st.data())
def test_tasks_of_a_change_write_all_it_reaches_and_in_no_other_units(layouts, order, given_limits, data):
    """Found pixel by pixel: an output that weighs a changed input is written, once, and units without one are not."""
    changed = data.draw(st.lists(boxes_in(layouts[0].shape), max_size=3))
    written = [np.zeros(layout.shape, int) for layout in layouts]
    for task in tasks_of(plan_of(layouts, order, changed, given_limits)):
        for part in task.parts:
            written[part.level][part.written] += 1
    masks = {0: np.zeros(layouts[0].shape, bool)}
    for box in changed:
        masks[0][window_of(box)] = True
    assert not written[0].any()
    for finer, coarser in levels_order([layout.shape for layout in layouts]):
        layout = layouts[coarser]
        masks[coarser] = reached_pixels(order, masks[finer], layout.shape)
        assert written[coarser].max() <= 1
        assert (written[coarser][masks[coarser]] == 1).all()
        assert grid_of(layout, written[coarser] > 0) == grid_of(layout, masks[coarser])


@given(plans())
def test_no_two_tasks_of_a_pass_write_one_unit(plan):
    for each in plan.passes:
        owners = Counter(
            (part.level, corner)
            for task in each.tasks()
            for part in task.parts
            if part.written is not None
            for corner in units_in(plan.layouts[part.level], part.written)
        )
        assert set(owners.values()) <= {1}


@given(plans())
def test_the_windows_of_a_task_hold_what_its_outputs_are_made_of(plan):
    """Its pieces tile the first level's window; what is read, and then each level, has all inputs of the next."""
    for task in tasks_of(plan):
        source, order = plan.layouts[task.source], plan.kernel.name
        made = np.zeros(plan.layouts[task.parts[0].level].shape, int)
        for piece in task.pieces:
            made[piece.made] += 1
            needed = all_inputs(order, source.shape, made.shape, piece.made)
            for read, inputs, size in zip(piece.read, needed, source.shape, strict=True):
                assert 0 <= read.start <= min(inputs) <= max(inputs) < read.stop <= size
        assert (made[task.parts[0].made] == 1).all()
        assert made.sum() == made[task.parts[0].made].size
        for part in task.parts:
            if part.written is not None:
                assert all(a.start <= b.start < b.stop <= a.stop for a, b in zip(part.made, part.written, strict=True))
        for finer, coarser in itertools.pairwise(task.parts):
            shapes = [plan.layouts[part.level].shape for part in (finer, coarser)]
            for held, inputs in zip(finer.made, all_inputs(order, *shapes, coarser.made), strict=True):
                assert held.start <= min(inputs) <= max(inputs) < held.stop


@given(plans())
def test_a_level_is_read_only_after_all_of_it_is_made(plan):
    for at, each in enumerate(plan.passes):
        assert not any(each.levels[0] in later.levels[1:] for later in plan.passes[at:])
        assert 0 not in each.levels[1:]


@given(plans())
def test_counts_of_a_plan_are_those_of_its_tasks(plan):
    """Tasks, write units, bytes of whole units written, and of whole chunks read, counted one by one."""
    tasks = tasks_of(plan)
    assert plan.task_count == len(tasks)
    units = written = read = 0
    for task in tasks:
        parts = [part for part in task.parts if part.written is not None]
        found = sum(len(units_in(plan.layouts[part.level], part.written)) for part in parts)
        assert task.units == found
        units += found
        for part in parts:
            layout, pixels = plan.layouts[part.level], np.zeros(plan.layouts[part.level].shape, bool)
            pixels[part.written] = True
            corners = set(units_in(layout, part.written))
            whole = [pixels[window] for window in layout.units() if tuple(p.start for p in window) in corners]
            written += sum(unit.size for unit in whole)
            read += sum(unit.size for unit in whole if not unit.all())  # the rest of it is kept
        source = plan.layouts[task.source]
        chunks = Layout(source.name, source.shape, source.chunks, source.chunks, source.itemsize)
        pixels = np.empty(source.shape, "u1")
        for piece in task.pieces:
            touched = set(units_in(chunks, piece.read))
            read += sum(pixels[window].size for window in chunks.units() if tuple(p.start for p in window) in touched)
    itemsize = plan.layouts[0].itemsize
    assert (plan.unit_count, plan.bytes_written, plan.bytes_read) == (units, written * itemsize, read * itemsize)


@given(plans())
def test_what_tasks_hold_is_within_the_bytes_of_the_plan(plan):
    for each in plan.passes:
        itemsize = each.layouts[0].itemsize
        for task in each.tasks():
            sizes = [np.empty(plan.layouts[part.level].shape, "u1")[part.made].size * itemsize for part in task.parts]
            assert all(size <= most for size, most in zip(sizes, each.bytes_made, strict=True))
            source = np.empty(plan.layouts[task.source].shape, "u1")
            read = [source[piece.read].size * itemsize for piece in task.pieces]
            assert max(read) <= each.bytes_piece <= each.bytes_source
            assert sizes[0] + max(read) <= each.bytes_held <= plan.bytes_held


@given(pyramids(), orders, limits(), st.data())
def test_equal_inputs_give_equal_plans_that_hash_and_pickle(layouts, order, given_limits, data):
    """Whatever types numbers and sequences have, in whichever order regions come; every task pickles, too."""
    changed = data.draw(st.none() | st.lists(boxes_in(layouts[0].shape), max_size=3))
    plan = plan_of(layouts, order, changed, given_limits)
    again = [
        Layout(each.name, list(each.shape), np.array(each.chunks), list(each.unit), each.itemsize) for each in layouts
    ]
    other = plan_of(tuple(again), order, None if changed is None else [*changed[::-1], *changed], given_limits)
    assert plan == other
    assert hash(plan) == hash(other)
    copy = pickle.loads(pickle.dumps(plan))
    assert copy == plan
    assert hash(copy) == hash(plan)
    assert str(copy) == str(plan)
    for task in tasks_of(plan):
        assert pickle.loads(pickle.dumps(task)) == task
    assert tasks_of(copy) == tasks_of(plan)


@given(pyramids(), orders, st.data())
def test_shared_units_are_those_that_both_plans_write(layouts, order, data):
    regions = st.none() | st.lists(boxes_in(layouts[0].shape), max_size=2)
    both = [plan_of(layouts, order, data.draw(regions), data.draw(limits())) for _ in range(2)]
    written = [
        {
            (plan.layouts[part.level].name, corner)
            for task in tasks_of(plan)
            for part in task.parts
            if part.written is not None
            for corner in units_in(plan.layouts[part.level], part.written)
        }
        for plan in both
    ]
    shared = both[0].shared_units(both[1])
    assert shared == both[1].shared_units(both[0])
    assert all(shared.values())
    by_name = {layout.name: layout for layout in layouts}
    found = [(name, corner) for name in shared for part in shared[name] for corner in units_in(by_name[name], part)]
    assert len(set(found)) == len(found)
    assert set(found) == written[0] & written[1]


@given(
    st.integers(1, 4).flatmap(
        lambda ndim: st.lists(st.tuples(*[st.sampled_from((1, 2, 4))] * ndim), min_size=1, max_size=5)
    )
)
def test_the_order_of_levels_does_not_change_what_they_are_made_of(shapes):
    source = tuple(map(max, zip(*shapes, strict=True)))

    def parents(targets):
        given_shapes = [source, *targets]
        return {(given_shapes[fine], given_shapes[coarse]) for fine, coarse in levels_order(given_shapes)}

    expected = parents(shapes)
    assert all(parents(targets) == expected for targets in itertools.permutations(shapes))
    for finer, coarser in expected:
        larger = [each for each in {source, *shapes} if all(a >= b for a, b in zip(each, coarser, strict=True))]
        sizes = {np.prod(each) for each in larger if each != coarser} | {np.prod(coarser)} & {np.prod(finer)}
        assert np.prod(finer) == min(sizes)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=0, max_dims=4, max_side=5)))
def test_boxes_of_a_mask_cover_what_is_true_once(mask):
    counts = np.zeros(mask.shape, int)
    for box in boxes_of(mask):
        assert all(0 <= low < high <= size for (low, high), size in zip(box, mask.shape, strict=True))
        counts[window_of(box)] += 1
    assert_array_equal(counts, mask)
