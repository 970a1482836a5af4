"""What belongs to a channel goes with it: through xarray's verbs, through files, and back."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.arrays.channels import COORDINATES, known_channels
from ngio_x.testing.samples import noise

DNA = nx.Channel("DNA", "FF00FF", (0, 65535), (80, 120))
ACTIN = nx.Channel("actin", "00FF00", (0, 65535), (5, 3000), active=False)
PIXELS = noise((2, 3, 8, 9), "u2", high=4000)


@pytest.fixture
def image():
    return nx.as_image(PIXELS, "czyx", 0.5, channels=[DNA, ACTIN], name="cells")


def renamed(channel, label):
    return nx.from_dict(nx.to_dict(channel) | {"label": label}, nx.Channel)


def written(image, tmp_path, **options):
    """The channels that a file tells of an image that is written."""
    nx.write_ome_zarr(image, tmp_path / "a.zarr", **options)
    return nx.channels_of(nx.open_ome_zarr(tmp_path / "a.zarr"))


VERBS = {
    "sel": (lambda image: image.sel(c="actin"), [ACTIN]),
    "sel of a list": (lambda image: image.sel(c=["actin", "DNA"]), [ACTIN, DNA]),
    "isel": (lambda image: image.isel(c=[1]), [ACTIN]),
    "from behind": (lambda image: image[::-1], [ACTIN, DNA]),
    "sel and back": (lambda image: image.sel(c="actin").expand_dims("c"), [ACTIN]),
    "concat": (lambda image: xr.concat([image.isel(c=[1]), image.isel(c=[0])], "c"), [ACTIN, DNA]),
    "new names": (lambda image: image.assign_coords(c=["a", "b"]), [renamed(DNA, "a"), renamed(ACTIN, "b")]),
    "equal names": (lambda image: image.assign_coords(c=["a", "a"]), [renamed(DNA, "a"), renamed(ACTIN, "a")]),
    "another name": (lambda image: image.rename("other"), [DNA, ACTIN]),
    "projection": (lambda image: image.max("z"), [DNA, ACTIN]),
    "arithmetic": (lambda image: image + image // 2, [DNA, ACTIN]),
    "background": (lambda image: image - image.isel(c=0, drop=True).min(), [DNA, ACTIN]),
    "where": (lambda image: image.where(image > 9, 0), [DNA, ACTIN]),
    "type": (lambda image: image.astype("f4"), [DNA, ACTIN]),
    "group by group": (lambda image: image.groupby("c").map(lambda each: each + 1), [DNA, ACTIN]),
    "apply_ufunc": (lambda image: xr.apply_ufunc(np.sqrt, image), [DNA, ACTIN]),
    "without attributes": (lambda image: image.drop_attrs(), [DNA, ACTIN]),
    "Dataset": (lambda image: xr.Dataset({"a": image, "b": image * 2})["b"], [DNA, ACTIN]),
    "tree": (lambda image: xr.DataTree.from_dict({"/a": image.to_dataset()})["a/cells"], [DNA, ACTIN]),
    "crop": (lambda image: nx.crop(image, nx.Roi.from_values({"y": (1, 1), "x": (1, 1)}, "a")), [DNA, ACTIN]),
    "zoom": (lambda image: nx.zoom(image, 0.5), [DNA, ACTIN]),
    "paste": (lambda image: nx.paste(image, image.sel(c="actin")), [DNA, ACTIN]),
    "like": (lambda image: nx.as_image(PIXELS, like=image), [DNA, ACTIN]),
    "name and like": (
        lambda image: nx.as_image(xr.DataArray(PIXELS[1:], {"c": ["actin"]}, dims=tuple("czyx")), like=image),
        [ACTIN],
    ),
    "names": (lambda image: nx.as_image(image, channels=["a", "b"]), [renamed(DNA, "a"), renamed(ACTIN, "b")]),
    "replaced": (lambda image: nx.as_image(image, channels=[ACTIN, DNA]), [ACTIN, DNA]),
    "dask": (lambda image: image.chunk(c=1).map_blocks(np.negative, template=image.chunk(c=1)), [DNA, ACTIN]),
    "gaps": (lambda image: image.reindex(c=["actin", "GFP"], fill_value=0).isel(c=[0]), [ACTIN]),
    "frames": (lambda image: xr.concat([image, image], "t"), [DNA, ACTIN]),
}  # fmt: skip


@pytest.mark.parametrize(("verb", "expected"), VERBS.values(), ids=VERBS)
def test_channels_keep_what_is_known_of_them(image, verb, expected):
    """Whichever of xarray's verbs comes between."""
    assert list(nx.channels_of(verb(image))) == expected


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("verb", ["sel", "sel of a list", "concat", "new names", "projection", "arithmetic", "Dataset"])
def test_what_is_written_tells_of_channels(image, verb, levels, tmp_path):
    """Colours, grey levels, and whether they are shown."""
    verb, expected = VERBS[verb]
    assert list(written(verb(image), tmp_path, levels=levels)) == expected


def test_a_tree_tells_of_channels(image, tmp_path):
    """At every level, in coordinates, and nowhere in attributes; so do its pieces, and what is made of them."""
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=2, labels={"ids": nx.as_labels(image[0])})
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert not any("channels" in {**node.attrs, **node.ds.attrs} for node in tree.subtree)
    for level in "01":
        assert "channels" not in tree[level]["image"].attrs
        assert nx.channels_of(tree[level]["image"]) == tree.ngio.channels == (DNA, ACTIN)
        assert not {*COORDINATES} & {*tree[f"labels/ids/{level}"].coords}
    for number, changed in enumerate(
        [
            nx.map_levels(tree, lambda level: level * 2),
            nx.map_levels(tree, lambda level: level.max("z")),
            nx.crop(tree, nx.Roi.from_values({"y": (1, 1)} | {"x": (0, 2)}, "a")),
        ]
    ):
        nx.write_ome_zarr(changed, tmp_path / f"{number}.zarr")
        assert nx.channels_of(nx.open_ome_zarr(tmp_path / f"{number}.zarr")) == (DNA, ACTIN)
    nx.write_ome_zarr(nx.map_levels(tree, lambda level: level.sel(c="actin")), tmp_path / "one.zarr")
    assert nx.channels_of(nx.open_ome_zarr(tmp_path / "one.zarr")) == (ACTIN,)


def test_channels_of_two_images_become_one(image, tmp_path):
    """Each with its own colour, in memory and on disk."""
    other = nx.as_image(PIXELS[:1], "czyx", 0.5, channels=[nx.Channel("GFP", "0000FF", display=(1, 2))])
    joined = xr.concat([image, other], "c")
    assert [(each.label, each.color) for each in written(joined, tmp_path)] == [
        ("DNA", "FF00FF"), ("actin", "00FF00"), ("GFP", "0000FF"),
    ]  # fmt: skip


def test_a_computed_channel_joins_those_of_a_file(image, tmp_path):
    """With `like`, nothing is known of it, and it gets what suits its pixels."""
    ratio = (image.sel(c="DNA") // (image.sel(c="actin") + 1)).expand_dims(c=["ratio"])
    joined = xr.concat([image, nx.as_image(ratio, like=image).astype("u2")], "c")
    *kept, new = written(joined, tmp_path)
    assert kept == [DNA, ACTIN]
    assert (new.label, new.limits, new.active) == ("ratio", (0, 65535), True)
    assert new.display != new.limits


def test_channels_whose_windows_differ_keep_their_colours(image, tmp_path):
    """What two images agree on stands; of the rest nothing is known."""
    other = nx.as_image(image, channels=[DNA, nx.Channel("actin", "00FF00", (0, 9), (1, 2), active=False)])
    actin = known_channels(image + other)[1]
    assert (actin.color, actin.limits, actin.display, actin.active) == ("00FF00", None, None, False)
    colors = [each.color for each in written((image + other).astype("u2"), tmp_path)]
    assert colors == ["FF00FF", "00FF00"]


def test_scalars_of_one_channel_do_not_speak_of_others(image):
    """`coords="minimal"`, which xarray will make its default, leaves those of the first."""
    with xr.set_options(use_new_combine_kwarg_defaults=True):
        both = xr.concat([image.sel(c="DNA"), image.sel(c="actin")], "c")
    assert all(each.is_named_only for each in known_channels(both))


def test_names_alone_are_no_facts():
    """Coordinates stand there only where something is known."""
    image = nx.as_image(PIXELS, "czyx", channels=["a", "b"])
    assert not {*COORDINATES} & {*image.coords}
    some = nx.as_image(image, channels=["a", DNA])
    assert some["color"].values.tolist() == ["", "FF00FF"]
    assert np.isnan(some["window_start"][0])
    assert [each.is_named_only for each in known_channels(some)] == [False, False]  # `active` is a guess
    first, second = nx.channels_of(some)
    assert second == DNA
    assert (first.label, first.limits, first.display) == ("a", (0, 65535), (0, 65535))


@pytest.mark.parametrize(
    "coords",
    [
        {"color": ("c", ["red", "blue"])},
        {"color": ("c", [1, 2])},
        {"color": "magenta", "active": ("y", np.zeros(8, bool))},
        {"window_min": ("c", [5.0, np.nan]), "window_max": ("c", [1.0, 2.0])},
        {"active": ("c", ["yes", "no"])},
        {"window_start": ("c", ["a", "b"]), "window_end": ("c", [None, None])},
    ],
)
def test_coordinates_of_somebody_else_are_passed_over(coords, tmp_path):
    """Then nothing is known of the channels; the coordinates stay."""
    bare = nx.as_image(PIXELS, "czyx", channels=["a", "b"])
    image = bare.assign_coords(coords)
    assert nx.channels_of(image) == nx.channels_of(bare)
    assert written(image, tmp_path) == nx.channels_of(nx.as_image(bare, channels=written(bare, tmp_path / "b")))
    assert_array_equal(nx.composite(image.isel(z=0)), nx.composite(bare.isel(z=0)))


def test_one_channel_without_an_axis_is_told_of(image, tmp_path):
    """A file may describe it; its name is a scalar then, as `sel` leaves it."""
    nx.write_ome_zarr(image.sel(c="actin"), tmp_path / "a.zarr", levels=1)
    found = nx.open_ome_zarr(tmp_path / "a.zarr")["0"]["image"]
    assert found["c"].item() == "actin"
    assert nx.channels_of(found) == (ACTIN,)
    assert_array_equal(nx.paste(image, found.load() * np.uint16(0)), image.where(image.c != "actin", 0))


def test_labels_have_no_channels(image):
    """So that they stand beside the image that they were made of."""
    labels = nx.as_labels((image.sel(c="DNA") > 2000).astype("u1"))
    assert not {*COORDINATES} & {*labels.coords}
    assert nx.channels_of(xr.Dataset({"image": image, "labels": labels})["image"]) == (DNA, ACTIN)


def test_a_selected_channel_is_pasted_where_it_belongs(image):
    """Whatever scalars tell of it."""
    patch = nx.crop(image, nx.Roi.from_values({"y": (1, 1), "x": (1, 1)}, "a")).sel(c="actin") * np.uint16(0)
    pasted = nx.paste(image, patch)
    assert (pasted != image).any(["z", "y", "x"]).values.tolist() == [False, True]
    assert nx.channels_of(pasted) == (DNA, ACTIN)


def test_map_rois_keeps_channels(image):
    """Of an image, and of pieces in the function's hand."""
    seen = []

    def double(piece):
        seen.append(nx.channels_of(piece))
        return piece * 2

    rois = [nx.Roi.from_values({"y": (0, 2), "x": (0, 2)}, "a")]
    lazy = image.copy(data=da.from_array(PIXELS, chunks=(1, 3, 4, 9)))
    done = nx.map_rois(lazy, double, rois).compute(scheduler="synchronous")
    assert nx.channels_of(done) == (DNA, ACTIN)
    assert seen[-1] == (DNA, ACTIN)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf", "scipy", "zarr"])
@pytest.mark.parametrize("verb", ["type", "sel", "new names"])
def test_files_of_xarray_keep_channels(image, engine, verb, tmp_path):
    """Formats that know no texts included."""
    verb, expected = VERBS[verb]
    piece = verb(image.astype("i4"))
    path = tmp_path / "a"
    if engine != "zarr":
        piece.to_netcdf(path, engine=engine)
    else:
        piece.to_zarr(path, zarr_format=2, consolidated=False)
    found = xr.open_dataarray(path, engine=engine, **({"consolidated": False} if engine == "zarr" else {}))
    assert list(nx.channels_of(found.load())) == expected
    found.close()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nx.channels_of(PIXELS),
            nx.errors.NgioTypeError,
            "image must be a DataArray, Dataset or DataTree, got ndarray",
        ),
        (lambda: nx.as_image(PIXELS, "czyx", channels=[DNA]), nx.errors.NgioValueError, "axis 'c' has 2 channels"),
        (lambda: nx.as_image(PIXELS[0], "zyx", channels=[DNA]), nx.errors.NgioValueError, "needs a 'c' axis"),
    ],
)
def test_what_does_not_fit_is_refused(call, kind, message):
    """Naming both."""
    with pytest.raises(kind, match=message):
        call()


def test_inputs_are_untouched(image):
    """Neither coordinates nor attributes."""
    before = image.copy(deep=True)
    nx.channels_of(image)
    nx.as_image(image, channels=[ACTIN, DNA])
    nx.as_labels(image)
    assert image.identical(before)
