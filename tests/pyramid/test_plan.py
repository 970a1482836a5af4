import itertools
import math
import tracemalloc

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioValueError
from ngio_x.pyramid import planner
from ngio_x.pyramid.layout import Layout, layout_of
from ngio_x.pyramid.plan import Pass, PyramidPlan
from ngio_x.pyramid.planner import levels_order, plan_changes, plan_whole
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing.samples import noise

LINEAR = KERNELS["linear"]
ORDERS = ("nearest", "linear", "cubic", "mode")


def layout(name, shape, chunks, unit=None, itemsize=2):
    return Layout(name, shape, chunks, unit or chunks, itemsize)


def whole(*layouts, order="linear"):
    return plan_whole(layouts, KERNELS[order], levels_order([each.shape for each in layouts]))


def arrays_of(shapes, chunks, dtype="u2", store=None):
    group = zarr.open_group(store or zarr.storage.MemoryStore(), mode="w")
    made = [
        group.create_array(str(at), shape=shape, chunks=tuple(map(min, chunks, shape)), dtype=dtype)
        for at, shape in enumerate(shapes)
    ]
    return made[0], made[1:]


def test_a_plan_prints_its_work():
    """A line for the whole, and one for each pass: tasks, arrays, shapes, write units."""
    plan = whole(
        layout("a/0", (40, 60), (8, 8)), layout("a/1", (20, 30), (8, 8)), layout("a/2", (20, 1), (4, 4), (8, 4))
    )
    assert str(plan).splitlines() == [
        "linear: 7 tasks read 0.0 MB, write 15 units (0.0 MB), and hold up to 8.4 MB each",
        "  4 tasks: a/0 (40, 60) → a/1 (20, 30), 12 units of (8, 8)",
        "  3 tasks: a/1 (20, 30) → a/2 (20, 1), 3 units of (8, 4)",
    ]


def test_a_plan_of_a_change_prints_what_is_rebuilt():
    """Of each level, the window that is written."""
    levels = [layout("a/0", (40, 60), (8, 8)), layout("a/1", (20, 30), (8, 8))]
    plan = plan_changes(levels, LINEAR, [(0, 1)], [((0, 3), (50, 60))])
    assert "a/0 (40, 60) → a/1 [0:2, 25:30] of (20, 30), 1 units of (8, 8)" in str(plan)
    nothing = plan_changes(levels, LINEAR, [(0, 1)], [])
    assert str(nothing) == "linear: 0 tasks read 0.0 MB, write 0 units (0.0 MB), and hold up to 0.0 MB each"


def test_a_level_comes_from_the_same_one_in_any_order_of_targets():
    """Of two levels with as many pixels, which hold it both, always the same is taken."""
    for targets in itertools.permutations([(4, 16), (16, 4), (2, 3), (8, 8)]):
        shapes = [(16, 16), *targets]
        pairs = {(shapes[fine], shapes[coarse]) for fine, coarse in levels_order(shapes)}
        assert pairs == {((16, 16), (8, 8)), ((16, 16), (4, 16)), ((16, 16), (16, 4)), ((4, 16), (2, 3))}


def test_pixels_do_not_depend_on_the_order_of_targets():
    """Nor where a level could be made of either of two others."""
    pixels = noise((16, 16), "u1")
    found = []
    for shapes in itertools.permutations([(4, 16), (16, 4), (2, 3)]):
        source, targets = arrays_of([(16, 16), *shapes], (8, 8), "u1")
        source[...] = pixels
        nx.consolidate_pyramid(source, targets, mode="numpy")
        found.append({target.shape: target[...].tolist() for target in targets})
    assert all(each == found[0] for each in found)


def test_small_units_are_grouped_into_tasks_that_are_worth_it():
    """A task reads about 8 MiB, and there are enough tasks for a small machine."""
    plan = whole(layout("0", (8192, 8192), (64, 64)), layout("1", (4096, 4096), (64, 64)))
    assert plan.unit_count == 64 * 64
    assert plan.task_count == 16
    (each,) = plan.passes
    assert 2**22 < each.bytes_source <= 2**23


def test_large_units_are_tasks_of_their_own():
    """A shard is written at once, however large."""
    plan = whole(layout("0", (8192, 8192), (2048, 2048)), layout("1", (4096, 4096), (512, 512), (2048, 2048)))
    assert plan.task_count == plan.unit_count == 4


def test_levels_are_joined_where_that_saves_reading():
    """The second level is made of blocks of the first while they are in memory; then only level 0 is read."""
    levels = [layout(str(at), (8192 >> at,) * 2, (512, 512)) for at in range(3)]
    plan = whole(*levels)
    assert [each.levels for each in plan.passes] == [(0, 1, 2)]
    assert plan.bytes_read == levels[0].nbytes


def test_levels_are_not_joined_into_too_few_tasks():
    """A level of one unit would leave one task to read all of the source."""
    levels = [layout(str(at), (4096 >> at,) * 2, (512, 512)) for at in range(4)]
    plan = whole(*levels)
    assert plan.passes[-1].levels == (2, 3)
    assert all(math.prod(each.grid) >= 4 for each in plan.passes[:-1])


def test_levels_are_not_joined_where_what_they_share_would_be_made_twice():
    """A cubic spline reads 13 pixels to either side: as much as tiles of 16 hold."""
    levels = [layout(str(at), (256 >> at,) * 2, (16, 16), itemsize=2**16) for at in range(3)]
    assert [each.levels for each in whole(*levels, order="cubic").passes] == [(0, 1), (1, 2)]


SCALE = {
    "a volume": ((3700, 3700, 3700), (37, 37, 37), (1, 2, 2)),
    "a plane": ((224_000, 224_000), (224, 224), (2, 2)),
    "frames": ((1_000_000, 224, 224), (1, 224, 224), (1, 2, 2)),
}


@pytest.mark.parametrize("name", SCALE)
def test_a_million_chunks_are_planned_from_metadata_alone(name):
    """Of 100 GB without a chunk on disk: far fewer tasks than chunks, and a plan of some lists of numbers."""
    shape, chunks, factors = SCALE[name]
    shapes = [shape]
    for _ in range(2):
        shapes.append(tuple(n // f for n, f in zip(shapes[-1], factors, strict=True)))
    files = {}
    source, targets = arrays_of(shapes, chunks, store=zarr.storage.MemoryStore(files))
    plan = nx.plan_pyramid(source, targets)
    assert all(name.endswith("zarr.json") for name in files)
    assert math.prod(-(-n // c) for n, c in zip(shape, chunks, strict=True)) >= 10**6
    assert plan.bytes_read >= 10**11
    assert plan.task_count <= 20_000
    assert plan.bytes_held <= 2**26
    assert sum(len(cuts) for each in plan.passes for axes in each.cuts for cuts in axes) <= 100_000
    assert len(str(plan).splitlines()) == 1 + len(plan.passes) <= 3


@pytest.mark.parametrize("regions", [None, [(5,)], []])
def test_axes_too_long_for_exact_positions_are_refused(regions):
    """As in memory: positions are 64-bit integers, in shares of a pixel."""
    source, targets = arrays_of([(5 * 10**10,), (25 * 10**9,)], (50_000,))
    with pytest.raises(NgioValueError, match="an axis of 50000000000 samples cannot be zoomed to"):
        nx.plan_pyramid(source, targets, regions=regions)


def test_choosing_a_size_of_tasks_looks_at_a_few(monkeypatch):
    """A million frames are not cut into a million tasks to find that they are too small."""
    sizes = []

    def counted(*args):
        made = original(*args)
        sizes.append(math.prod(made.grid))
        return made

    original = planner._cut
    monkeypatch.setattr(planner, "_cut", counted)
    whole(layout("0", (10**6, 64, 64), (1, 64, 64)), layout("1", (10**6, 32, 32), (1, 32, 32)))
    assert sum(sizes) < 2000


def test_many_changes_are_planned_box_by_box():
    """Thousands of boxes are checked against each other on the grid of units, not pair by pair."""
    levels = [layout("0", (20_000, 20_000), (100, 100)), layout("1", (10_000, 10_000), (100, 100))]
    changed = [((y, y + 50), (x, x + 50)) for y, x in itertools.product(range(100, 20_000, 400), repeat=2)]
    plan = plan_changes(levels, LINEAR, [(0, 1)], changed)
    assert plan.task_count == plan.unit_count == len(changed) == 2500


def test_targets_and_arrays_are_untouched():
    """Planning writes nothing, and the list keeps its order."""
    source, targets = arrays_of([(16, 16), (4, 4), (8, 8)], (4, 4))
    source[...] = 5
    passed = list(targets)
    nx.plan_pyramid(source, passed, regions=[(0, 0)])
    nx.plan_pyramid(source, passed)
    assert passed == targets
    assert [array.nchunks_initialized for array in targets] == [0, 0]
    assert_array_equal(source[...], np.full((16, 16), 5))


def test_layouts_of_a_plan_are_in_the_order_of_the_targets():
    """The source first, then as given; levels are made from fine to coarse."""
    source, targets = arrays_of([(16, 16), (4, 4), (8, 8)], (4, 4))
    plan = nx.plan_pyramid(source, targets)
    assert [each.shape for each in plan.layouts] == [(16, 16), (4, 4), (8, 8)]
    assert [level for each in plan.passes for level in each.levels[1:]] == [2, 1]


FINE, COARSE = layout("0", (16,), (4,)), layout("1", (10,), (4,))


def test_a_pass_whose_tasks_would_share_units_is_refused():
    """Cuts stand at edges of write units, in order, within the level."""
    for cuts in ((0, 5, 10), (0, 8, 4, 10), (-4, 10), (0, 12), (0, 4, 4, 10), (0, 0)):
        with pytest.raises(NgioValueError, match="tasks would share units of 1: cuts"):
            Pass(LINEAR, (0, 1), (FINE, COARSE), ((cuts,),), (16,))
    assert Pass(LINEAR, (0, 1), (FINE, COARSE), (((4, 10),),), (16,)).unit_count == 2


def test_a_pass_whose_levels_have_other_tasks_is_refused():
    """Each task makes its part of each level: what is counted would not be what is written."""
    levels, coarsest = (0, 1, 2), layout("2", (5,), (4,))
    for cuts in ((((0, 4, 8, 10),), ((0, 4, 5),)), (((0, 10),), ((0, 4, 5),)), (((0,),), ((0,),))):
        with pytest.raises(NgioValueError, match="all levels must have as many cuts along an axis"):
            Pass(LINEAR, levels, (FINE, COARSE, coarsest), cuts, (16,))
    for missing in (((FINE, COARSE), (((0, 10),),)), ((FINE, COARSE, coarsest), (((0, 10),),)), ((FINE,), ())):
        with pytest.raises(NgioValueError, match="need a layout each, and cuts each but for the first"):
            Pass(LINEAR, levels, *missing, (16,))


def test_a_plan_that_does_not_make_every_pixel_once_is_refused():
    """Nothing may be left out, and nothing made twice; of a part, only the latter."""
    first, rest, all_ = (
        Pass(LINEAR, (0, 1), (FINE, COARSE), ((cuts,),), (16,)) for cuts in ((0, 4), (4, 8, 10), (0, 10))
    )
    layouts = (FINE, COARSE)
    assert PyramidPlan(layouts, LINEAR, (first, rest)).unit_count == 3
    for passes in ((first,), (), (all_, rest), (first, first, rest)):
        with pytest.raises(NgioValueError, match="does not make every pixel of 1 once"):
            PyramidPlan(layouts, LINEAR, passes)
    assert PyramidPlan(layouts, LINEAR, (rest,), partial=True).unit_count == 2
    with pytest.raises(NgioValueError, match="does not make every pixel of 1 once"):
        PyramidPlan(layouts, LINEAR, (first, all_), partial=True)


def test_a_plan_that_writes_to_its_source_is_refused():
    """Level 0 is only read."""
    back = Pass(LINEAR, (1, 0), (COARSE, FINE), (((0, 16),),), (12,))
    with pytest.raises(NgioValueError, match="writes to its source 0"):
        PyramidPlan((FINE, COARSE), LINEAR, (back,), partial=True)


def test_a_plan_that_makes_a_level_after_it_was_read_is_refused():
    """What was made of it would be out of date."""
    coarsest = layout("2", (5,), (4,))
    one = Pass(LINEAR, (0, 1), (FINE, COARSE), (((0, 10),),), (16,))
    two = Pass(LINEAR, (1, 2), (COARSE, coarsest), (((0, 5),),), (12,))
    layouts = (FINE, COARSE, coarsest)
    assert PyramidPlan(layouts, LINEAR, (one, two)).task_count == 2
    with pytest.raises(NgioValueError, match="makes 1 after it has been read"):
        PyramidPlan(layouts, LINEAR, (two, one))


def test_a_plan_of_other_layouts_than_its_passes_is_refused():
    """What passes count would not be what there is."""
    one = Pass(LINEAR, (0, 1), (FINE, COARSE), (((0, 10),),), (16,))
    with pytest.raises(NgioValueError, match="layouts of the plan and of a pass differ"):
        PyramidPlan((FINE, layout("1", (10,), (2,))), LINEAR, (one,))


def test_a_task_counts_no_unit_where_it_writes_none():
    """Of a level that ends within a unit, too."""
    assert COARSE.count_units(((10, 10),)) == COARSE.count_units(((8, 8),)) == 0
    assert COARSE.count_units(((8, 10),)) == 1


MEMORY = {
    "chunks in line": ((2048, 2048), (512, 512), [(1024, 1024), (512, 512)], {}),
    "chunks out of line": ((1700, 1900), (500, 500), [(723, 811)], {}),
    "many small chunks": ((1200, 1200), (60, 60), [(600, 600)], {}),
    "larger chunks than the array": ((900, 900), (1500, 1500), [(450, 450)], {}),
    "shards": ((2048, 2048), (128, 128), [(1024, 1024)], {"shards": (512, 512)}),
    "a volume": ((48, 256, 256), (48, 64, 64), [(21, 111, 111)], {}),
    "larger": ((400, 400), (100, 100), [(1500, 1500)], {}),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", MEMORY)
def test_bytes_held_are_not_less_than_what_a_run_holds(name, order, tmp_path):
    """And not many times as much as that and what intermediate results may take."""
    shape, chunks, levels, options = MEMORY[name]
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    source = group.create_array("0", shape=shape, chunks=chunks, dtype="u2", **options)
    source[...] = noise(shape)
    targets = [group.create_array(f"{at}", shape=each, chunks=chunks, dtype="u2") for at, each in enumerate(levels, 1)]
    enlarges = levels[0] > shape
    layouts = [layout_of(array) for array in (source, *targets)]
    plan = plan_whole(layouts, KERNELS[order], [(at, at + 1) for at in range(len(levels))])
    tracemalloc.start()
    try:
        if enlarges:
            nx.on_disk_zoom(source, targets[0], order, "numpy")
        else:
            nx.consolidate_pyramid(source, targets, order, "numpy")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= plan.bytes_held <= 4 * peak + 2**25
