import pytest

import ngio_x as nx
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.channels import Channel
from ngio_x.ngff.multiscales import (
    Multiscales,
    from_attributes,
    require_image_axes,
    to_attributes,
    unversioned,
    versioned,
)

HANDLER = nx.AxesHandler((nx.Axis("c"), nx.Axis("y", unit="micrometer"), nx.Axis("x", unit="nanometer")))
LEVELS = (
    nx.Dataset("0", HANDLER, (1, 0.5, 0.25), (0, 3, -4)),
    nx.Dataset("1", HANDLER, (1, 1.0, 0.5), (0, 3.25, -3.875)),
)
CHANNELS = (Channel("a", "FF0000", (0, 99), (3, 50)), Channel("b"), Channel("c"))


def image(**fields):
    return Multiscales(
        **{"version": "0.5", "datasets": LEVELS, "name": "n", "kernel": "linear", "channels": CHANNELS} | fields
    )


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("frame", ["corner", "center"])
@pytest.mark.parametrize("is_label", [False, True])
@pytest.mark.parametrize("level_origin", ["center", "corner", None])
def test_reading_undoes_writing(version, frame, is_label, level_origin):
    """Attributes say all that there is to say."""
    made = image(version=version, frame=frame, is_label=is_label, level_origin=level_origin)
    assert from_attributes(to_attributes(made), "here") == made


def test_version_4_stands_at_the_root_and_version_5_under_ome():
    """Each names its version where its specification puts it."""
    old, new = to_attributes(image(version="0.4")), to_attributes(image())
    assert old["multiscales"][0]["version"] == "0.4"
    assert "ome" not in old
    assert new["ome"]["version"] == "0.5"
    assert "version" not in new["ome"]["multiscales"][0]


def test_documents_are_not_changed():
    """Versioning and reading leave their input alone."""
    document = {"multiscales": [{"name": "a"}], "image-label": {}}
    versioned(document, "0.4")
    versioned(document, "0.5")
    assert document == {"multiscales": [{"name": "a"}], "image-label": {}}
    attributes = to_attributes(image())
    before = repr(attributes)
    from_attributes(attributes, "here")
    assert repr(attributes) == before


def test_missing_versions_are_guessed_from_the_place():
    """Files of early writers lack them."""
    assert unversioned({"multiscales": [{}]})[1] == "0.4"
    assert unversioned({"ome": {"multiscales": []}})[1] == "0.5"


@pytest.mark.parametrize("attributes", [{"ome": {"version": "0.6"}}, {"multiscales": [{"version": "0.1"}]}])
def test_other_versions_are_refused(attributes):
    """The version is named, and what to do."""
    with pytest.raises(NgioValidationError, match=r"version '0.[16]' is not read; convert the image to 0.4 or 0.5"):
        unversioned(attributes)


def test_foreign_axes_are_kept():
    """An image may have axes that ngio_x does not know."""
    entry = {"axes": [{"name": "q"}, {"name": "y"}, {"name": "x"}]}
    entry["datasets"] = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 3]}]}]
    found = from_attributes({"multiscales": [entry]}, "here")
    assert found.axes_handler.axes_names == ("q", "y", "x")
    assert found.datasets[0].translation == (0, 0, 0)


def test_transformations_of_the_whole_image_apply_after_those_of_its_levels():
    """A scale at the multiscales level scales translations too, and its own translation comes last."""
    attributes = to_attributes(image())
    attributes["ome"]["multiscales"][0]["coordinateTransformations"] = [
        {"type": "scale", "scale": [1, 2, 10]},
        {"type": "translation", "translation": [0, 1, 2]},
    ]
    found = from_attributes(attributes, "here").datasets
    assert [level.scale for level in found] == [(1, 1, 2.5), (1, 2, 5)]
    assert [level.translation for level in found] == [(0, 7, -38), (0, 7.5, -36.75)]


def test_the_frame_of_a_file_wins_over_the_default():
    """A default speaks for files that say nothing."""
    attributes = to_attributes(image(frame="center"))
    assert from_attributes(attributes, "here", "corner").frame == "center"
    del attributes["ngio_x"]
    assert from_attributes(attributes, "here", "center").frame == "center"
    assert from_attributes(attributes, "here").frame == "corner"


def test_channels_without_names_and_windows_get_them():
    """Only what is there is read."""
    attributes = to_attributes(image())
    attributes["ome"]["omero"]["channels"] = [{}, {"label": "b", "window": {"min": 1, "max": 5}}, {"color": "00ff00"}]
    found = from_attributes(attributes, "here").channels
    assert [channel.label for channel in found] == ["channel_0", "b", "channel_2"]
    assert (found[1].limits, found[1].display, found[2].color) == ((1, 5), (1, 5), "00FF00")


def put(*path):
    """Return a function that sets (or, without a value, removes) something in the multiscales entry."""
    *steps, last, value = path

    def change(entry):
        for step in steps:
            entry = entry[step]
        if value is None:
            del entry[last]
        else:
            entry[last] = value

    return change


FIRST = ("datasets", 0, "coordinateTransformations")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("axes", None), "axes is missing"),
        (put("axes", "cyx"), "axes must be a list, got 'cyx'"),
        (put("axes", ["c", "y", "x"]), r"axes\[0\] must be an object, got 'c'"),
        (put("axes", 0, "name", None), r"axes\[0\]: 'name' is missing"),
        (put("axes", 0, "name", "y"), "axis names must be unique, got 'y' twice"),
        (put("axes", 0, "type", "colour"), r"axes\[0\]: axis_type must be one of"),
        (put("axes", [{"name": "y"}, {"name": "x"}]), r"scale must have one number for each axis of \('y', 'x'\)"),
        (put("datasets", None), "datasets is missing"),
        (put("datasets", []), "datasets must hold at least one level"),
        (put("datasets", ["0"]), r"datasets\[0\] must be an object, got '0'"),
        (put("datasets", 1, "path", None), r"datasets\[1\]: 'path' is missing"),
        (put("datasets", 1, "path", 7), r"datasets\[1\]: path must be a non-empty string, got 7"),
        (put(*FIRST, None), r"datasets\[0\]: coordinateTransformations is missing"),
        (put(*FIRST, []), r"datasets\[0\]: coordinateTransformations have no scale"),
        (put(*FIRST, 0, "type", None), r"coordinateTransformations\[0\]: 'type' is missing"),
        (put(*FIRST, 0, "type", "affine"), "coordinate transformation 'affine' is not read"),
        (put(*FIRST, 0, "scale", [1, 0, 1]), r"datasets\[0\]: scale must be > 0"),
        (put(*FIRST, 0, "scale", [1, "1", 1]), "scale must be a number, got '1'"),
        (put(*FIRST, 1, "translation", [1]), "translation must have one number for each axis"),
        (put("name", 3), "name must be a string"),
    ],
)
def test_faulty_entry_is_refused(change, message):
    """One error names the place and what is wrong there."""
    attributes = to_attributes(image())
    change(attributes["ome"]["multiscales"][0])
    with pytest.raises(NgioValidationError, match=f"^here has faulty OME-NGFF metadata: .*{message}"):
        from_attributes(attributes, "here")


@pytest.mark.parametrize(
    ("omero", "message"),
    [
        ("x", "omero must be an object, got 'x'"),
        ({"channels": 3}, "channels must be a list, got 3"),
        ({"channels": ["a"]}, r"channels\[0\] must be an object, got 'a'"),
        ({"channels": [{}, {"color": "red"}]}, r"channels\[1\]: color must be six hexadecimal digits, got 'red'"),
        ({"channels": [{"window": 3}]}, r"channels\[0\]: window must be an object"),
        ({"channels": [{"window": {"min": 5, "max": 1}}]}, r"channels\[0\]: limits must be two rising numbers"),
    ],
)
def test_faulty_channels_are_refused(omero, message):
    """One error names the channel."""
    attributes = to_attributes(image())
    attributes["ome"]["omero"] = omero
    with pytest.raises(NgioValidationError, match=message):
        from_attributes(attributes, "here")


@pytest.mark.parametrize("attributes", [{}, {"ome": {}}, {"ome": "x"}, {"multiscales": []}, {"multiscales": {"a": 1}}])
def test_attributes_of_something_else_are_refused(attributes):
    """Such as a plate, a plain group, a table."""
    with pytest.raises(NgioValidationError, match="here is no OME-Zarr image: its attributes have no 'multiscales'"):
        from_attributes(attributes, "here")


@pytest.mark.parametrize("own", [{"frame": "left"}, {"level_origin": "left"}])
def test_unknown_words_in_the_own_key_are_refused(own):
    """Rather than read a lattice wrongly."""
    with pytest.raises(NgioValidationError, match=r"(frame|level_origin) must be one of .*'center'.*, got 'left'"):
        from_attributes(to_attributes(image()) | {"ngio_x": own}, "here")


def test_a_label_image_is_placed_relative_to_its_image():
    """Edges of levels on a coarser grid are found with the pixel size of the image."""
    coarse = nx.Dataset("0", HANDLER, (1, 1.0, 0.5), (0, 3.25, -3.875))
    labels = image(datasets=(coarse,), is_label=True, channels=())
    assert labels.edges(image()) == [(0, 3, -4)]
    assert image().edges() == [(0, 3, -4)] * 2


@pytest.mark.parametrize(
    ("names", "labels", "message"),
    [
        ("yxq", False, "have axes t, c, z, y, x, got 'q'"),
        ("zx", False, "have y and x axes"),
        ("cyx", True, "label images have no channel axis: select one channel"),
    ],
)
def test_axes_that_no_image_may_have_are_refused(names, labels, message):
    """The rule is named."""
    with pytest.raises(NgioValueError, match=message):
        require_image_axes(names, labels=labels)
