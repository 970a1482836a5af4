"""The way of the data through the package: who may import whom, and what is public."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ngio_x as nx

PACKAGE = Path(nx.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = ("metadata", "roi", "resample", "arrays", "labels", "serialization", "pyramid", "ngff", "view")
"""From the bottom to the top; a module imports from its own layer and those below."""
OPEN = ("errors", "_bulk", "_frozen", "_html")
"""Modules of the package that all may import."""
RESAMPLE_KNOWS = ("resample", *OPEN)
"""Numbers in, numbers out: no names, no metadata."""
LIBRARIES = {
    "dask": "resample",
    "xarray": "arrays",
    "cattrs": "serialization",
    "zarr": "pyramid",
    "numcodecs": "pyramid",
}
"""Libraries that are reserved for a layer and those above it."""

PUBLIC = [
    "AxesHandler",
    "AxesSetup",
    "Axis",
    "Channel",
    "ChunksLike",
    "Dataset",
    "Dimensions",
    "ImagePyramidBuilder",
    "InterpolationOrder",
    "Lattice",
    "PixelIndex",
    "PixelSize",
    "Problem",
    "PyramidLevel",
    "PyramidPlan",
    "Report",
    "Roi",
    "RoiDrawing",
    "RoiSlice",
    "ShardsLike",
    "as_image",
    "as_labels",
    "assign_tiles",
    "bounding_roi",
    "channels_of",
    "check_if_axes_match",
    "check_if_dimensions_match",
    "check_if_rescalable",
    "composite",
    "compute_masking_roi",
    "configure_converter",
    "consolidate_ome_zarr",
    "consolidate_pyramid",
    "containing",
    "corners",
    "crop",
    "crop_objects",
    "dask_zoom",
    "derive",
    "dimensions_of",
    "errors",
    "from_dict",
    "from_geojson",
    "from_json",
    "from_napari",
    "from_ngff",
    "from_ngio",
    "from_spatialdata",
    "hull",
    "keep_objects",
    "label_extents",
    "level_for",
    "list_tables",
    "make_converter",
    "map_levels",
    "map_rois",
    "mask",
    "mosaic",
    "napari_layer",
    "napari_shapes",
    "numpy_zoom",
    "on_disk_zoom",
    "open_ome_zarr",
    "overlapping",
    "paste",
    "pixel_size_of",
    "plan_pyramid",
    "plot_image",
    "plot_labels",
    "plot_levels",
    "plot_rois",
    "read_rois",
    "relabel_sequential",
    "require_axes_match",
    "require_dimensions_match",
    "require_rescalable",
    "rois_from_dataset",
    "rois_to_dataset",
    "show",
    "stack_objects",
    "tile",
    "to_dict",
    "to_geojson",
    "to_json",
    "to_napari",
    "to_napari_layers",
    "to_ngff",
    "to_ngio",
    "to_spatialdata",
    "unique_ids",
    "upgrade_ome_zarr",
    "validate_ome_zarr",
    "window",
    "write_labels",
    "write_ome_zarr",
    "write_region",
    "write_rois",
    "zoom",
]


def name_of(path):
    """The module's place below the package: `("roi", "rounding")`; the package itself is `()`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def layer_of(path):
    """The module's layer, or None for the open modules and the doors on top."""
    parts = name_of(path)
    return parts[0] if parts and parts[0] in LAYERS else None


def imports_of(path):
    """Every module that a module imports, with the node, wherever it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "ngio_x":
                yield from ((f"ngio_x.{alias.name}", node) for alias in node.names)
            else:
                yield node.module, node


def type_checking_block(path):
    """The statements of a module that only type checkers run."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    (block,) = (node for node in body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return block.body


def relative(path):
    return str(path.relative_to(PACKAGE))


def test_every_module_has_a_place_in_the_layers():
    """A new package is put into the list, or is a door on top."""
    doors = {"__init__.py", "__main__.py", "accessor.py", "cli", "testing", *(f"{name}.py" for name in OPEN)}
    tops = {path.relative_to(PACKAGE).parts[0] for path in MODULES}
    assert tops <= {*LAYERS, *doors}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_imports_only_from_below(path):
    """metadata → roi → resample → arrays → labels → serialization → pyramid → ngff → view.

    `resample` knows none of the first two.
    """
    layer = layer_of(path)
    open_module = name_of(path)[:1] in [(name,) for name in OPEN]
    if layer is None and not open_module:
        return
    below = () if layer is None else LAYERS[: LAYERS.index(layer) + 1]
    allowed = RESAMPLE_KNOWS if layer == "resample" else (*below, *OPEN)
    for module, node in imports_of(path):
        parts = module.split(".")
        if parts[0] == "ngio_x":
            assert parts[1] in allowed, f"{relative(path)}:{node.lineno} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_libraries_are_used_only_where_their_layer_begins(path):
    """dask from resample on, xarray from arrays on, cattrs from serialization on, zarr and its codecs from pyramid on.

    Descriptions need none of them.
    """
    layer = layer_of(path)
    if layer is None and name_of(path)[:1] not in [(name,) for name in OPEN]:
        return
    height = -1 if layer is None else LAYERS.index(layer)
    for module, node in imports_of(path):
        begins = LIBRARIES.get(module.split(".")[0])
        assert begins is None or height >= LAYERS.index(begins), f"{relative(path)}:{node.lineno} imports {module}"


@pytest.mark.parametrize("path", [path for path in MODULES if path != PACKAGE / "__init__.py"], ids=relative)
def test_imports_stand_at_the_top(path):
    """Only the command line and plots, whose libraries are extras, import on use, where ruff has been told so.

    The accessor, which is loaded with the package, imports types for type checkers only; these see attrs' own decorator
    where values have theirs.
    """
    text = path.read_text(encoding="utf-8")
    lines, top = text.splitlines(), {node.lineno for node in ast.parse(text).body}
    if path in (PACKAGE / "accessor.py", PACKAGE / "_frozen.py"):
        top |= {node.lineno for node in type_checking_block(path)}
    for module, node in imports_of(path):
        is_extra = name_of(path)[:1] in [("cli",), ("view",)] and "noqa: PLC0415" in lines[node.lineno - 1]
        assert node.lineno in top or is_extra, f"{relative(path)}:{node.lineno} imports {module} inside a block"


def test_random_pixels_come_from_the_samples():
    """What tests and benchmarks draw from a seed, users can draw too."""
    root, generators = Path(__file__).parents[1], ("np.random", "numpy.random", "da.random", "dask.array.random")
    files = [path for folder in ("tests", "property_tests", "benchmarks") for path in (root / folder).rglob("*.py")]
    found = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                name = ast.unparse(node)
            else:
                name = node.module if isinstance(node, ast.ImportFrom) else None
            if name in generators:
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    assert files
    assert found == []


def test_the_public_names_are_these():
    """Names are promises: one that is added or removed is added or removed here, too."""
    assert nx.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(nx))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_loaded(name):
    """The table of homes is right."""
    assert getattr(nx, name) is getattr(nx, name)


def test_other_names_do_not_exist():
    """As for any module."""
    with pytest.raises(AttributeError, match="module 'ngio_x' has no attribute 'bogus'"):
        _ = nx.bogus


def test_type_checkers_see_the_same_names_at_the_same_homes():
    """The imports under TYPE_CHECKING agree with the table that loads names on first use."""
    block = type_checking_block(PACKAGE / "__init__.py")
    seen = {alias.asname: f"{node.module}.{alias.name}" for node in block for alias in node.names}
    table = {name: f"ngio_x.{module}.{name}" for name, module in nx._MODULE_OF.items()}
    assert seen == {**table, "errors": "ngio_x.errors"}


def loaded_after(statement):
    """The libraries that a fresh interpreter has loaded after a statement."""
    heavy = ["xarray", "dask", "zarr", "scipy", "numpy", "cattrs", "pandas"]
    code = f"import sys, json; {statement}; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_importing_the_package_loads_xarray_and_no_more():
    """Names are loaded on first use; accessors need xarray, which needs neither dask nor zarr nor scipy."""
    assert loaded_after("import ngio_x") == loaded_after("import xarray") == {"xarray", "numpy", "pandas"}


def test_descriptions_load_no_more():
    """A region needs no dask, zarr or scipy."""
    assert loaded_after("import ngio_x; ngio_x.Roi, ngio_x.Dimensions") == loaded_after("import xarray")
