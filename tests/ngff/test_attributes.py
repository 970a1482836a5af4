"""From attributes to documents and back, in both versions that are written."""

import copy

import pytest

import ngio_x as nx
from ngio_x.metadata.channels import Channel
from ngio_x.ngff.attributes import read_attributes, write_attributes
from ngio_x.ngff.documents import Acquisition, ImageLabel, LabelList, Multiscales, Plate, PlateWell, Well, WellImage
from tests.official_schemas import complaints

HANDLER = nx.AxesHandler((nx.Axis("c"), nx.Axis("y", unit="micrometer"), nx.Axis("x", unit="nanometer")))
LEVELS = (
    nx.Dataset("0", HANDLER, (1, 0.5, 0.25), (0, 3, -4)),
    nx.Dataset("1", HANDLER, (1, 1.0, 0.5), (0, 3.25, -3.875)),
)
CHANNELS = (Channel("a", "FF0000", (0, 99), (3, 50)), Channel("b"), Channel("c", active=False))
PLATE = Plate(
    ("A", "B"), ("1", "2"), (PlateWell("A/1", 0, 0), PlateWell("B/2", 1, 1)), "p", 3, (Acquisition(1, "a", 2),)
)
WELL = Well((WellImage("0", 1), WellImage("1", 1)))


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


def image(**fields):
    return Multiscales(**{"datasets": LEVELS, "name": "n", "kernel": "linear", "channels": CHANNELS} | fields)


def read(attributes, frame="corner"):
    return read_attributes(attributes, "here", frame).document


@pytest.mark.parametrize("frame", ["corner", "center"])
@pytest.mark.parametrize(
    "label", [None, ImageLabel(), ImageLabel("x", {1: (1, 2, 3, 4), 2: None}, {1: {"class": "a"}})]
)
@pytest.mark.parametrize("level_origin", ["center", "corner", None])
def test_reading_an_image_undoes_writing_it(version, frame, label, level_origin):
    """Attributes say all that there is to say."""
    made = image(frame=frame, label=label, level_origin=level_origin, metadata={"method": "x"})
    assert read(write_attributes(made, version)) == made


@pytest.mark.parametrize("document", [PLATE, WELL, LabelList(("a", "b/c"))], ids=["plate", "well", "labels"])
def test_reading_other_documents_undoes_writing_them(version, document):
    """Plates, wells, and lists of labels."""
    found = read_attributes(write_attributes(document, version), "here")
    assert (found.version, found.document) == (version, document)


@pytest.mark.parametrize(
    ("document", "schema"),
    [
        (PLATE, "plate"),
        (PLATE, "strict_plate"),
        (WELL, "well"),
        (WELL, "strict_well"),
        (image(metadata={}), "image"),
        (image(metadata={}), "strict_image"),
        (image(label=ImageLabel(colors={1: (1, 2, 3, 4)}), metadata={}), "label"),
        (image(label=ImageLabel(colors={1: (1, 2, 3, 4)}), metadata={}), "strict_label"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_documents_are_valid_by_the_official_schemas(version, document, schema):
    """The strict ones, too."""
    attributes = write_attributes(document, version)
    assert complaints(version, schema, attributes) == []


def test_version_4_stands_at_the_root_and_version_5_under_ome():
    """Each names its version where its specification puts it."""
    old, new = write_attributes(image(), "0.4"), write_attributes(image(), "0.5")
    assert old["multiscales"][0]["version"] == "0.4"
    assert "ome" not in old
    assert new["ome"]["version"] == "0.5"
    assert "version" not in new["ome"]["multiscales"][0]
    assert write_attributes(PLATE, "0.4")["plate"]["version"] == "0.4"
    assert write_attributes(PLATE, "0.5")["ome"]["plate"]["version"] == "0.5"


def with_unknown_keys(attributes):
    """Put a key that nobody knows beside every key of a document; and some that others write."""
    attributes = copy.deepcopy(attributes)
    document = attributes.get("ome", attributes)
    entry = document["multiscales"][0]
    entry["@type"] = "ngff:Image"
    for place in (*entry["axes"], *entry["datasets"], *document["omero"]["channels"], document["omero"]):
        place["unheard-of"] = [{"by": "us"}, None]
    entry["axes"][2]["orientation"] = {"type": "anatomical", "value": "left-to-right"}
    document["omero"] |= {"id": 1, "rdefs": {"model": "color"}}
    document["omero"]["channels"][1]["coefficient"] = 1
    document["omero"]["channels"][0]["window"]["gamma"] = 2.0
    document["more"] = {"a": []}
    attributes["_ARRAY_DIMENSIONS"] = ["c", "y", "x"]
    attributes["fractal"] = {"task": {"b": [1, {}]}}
    return attributes


def test_unknown_keys_survive_at_every_depth(version):
    """Of the image, of axes, levels, channels, windows; and what stands beside the document."""
    attributes = with_unknown_keys(write_attributes(image(), version))
    before = copy.deepcopy(attributes)
    assert write_attributes(read(attributes), version) == attributes == before


def test_unknown_keys_survive_the_way_to_another_version():
    """0.4 becomes 0.5, and only the place and the version are others."""
    old, new = (with_unknown_keys(write_attributes(image(), version)) for version in ("0.4", "0.5"))
    more = old.pop("more")  # at the root, it is none of the document
    found = write_attributes(read(old), "0.5")
    assert new["ome"].pop("more") == more
    assert found == new


@pytest.mark.parametrize(("document", "key"), [(PLATE, "plate"), (WELL, "well")])
def test_unknown_keys_of_plates_and_wells_survive(version, document, key):
    """Of rows, wells, acquisitions, images."""
    attributes = write_attributes(document, version)
    entry = attributes.get("ome", attributes)[key]
    for items in entry.values():
        if isinstance(items, list):
            items[-1]["unheard-of"] = {"a": [1]}
    attributes["beside"] = 3
    assert write_attributes(read(attributes), version) == attributes


def test_unknown_keys_of_label_images_survive(version):
    """Of colours, of properties, of the source."""
    attributes = write_attributes(image(label=ImageLabel("x", {1: (1, 2, 3, 4)}, {1: {"class": "a"}})), version)
    label = attributes.get("ome", attributes)["image-label"]
    label["unheard-of"] = label["colors"][0]["unheard-of"] = label["source"]["unheard-of"] = [1]
    assert write_attributes(read(attributes), version) == attributes


def test_custom_types_of_axes_survive(version):
    """They mean nothing to ngio_x, and more to others."""
    handler = nx.AxesHandler(
        (nx.Axis("angle"), nx.Axis("y"), nx.Axis("x")), nx.AxesSetup(others=("angle",), allow_non_canonical_axes=True)
    )
    attributes = write_attributes(image(datasets=(nx.Dataset("0", handler, (1, 1, 1)),), channels=()), version)
    attributes.get("ome", attributes)["multiscales"][0]["axes"][0]["type"] = "rotation"
    found = read(attributes)
    assert found.axes_handler.axes_names == ("angle", "y", "x")
    assert write_attributes(found, version) == attributes


def test_transformations_of_the_whole_image_apply_after_those_of_its_levels(version):
    """A scale at the multiscales level scales translations too, and its own translation comes last."""
    attributes = write_attributes(image(), version)
    attributes.get("ome", attributes)["multiscales"][0]["coordinateTransformations"] = [
        {"type": "scale", "scale": [1, 2, 10]},
        {"type": "translation", "translation": [0, 1, 2]},
    ]
    found = read(attributes)
    assert [level.scale for level in found.datasets] == [(1, 1, 2.5), (1, 2, 5)]
    assert [level.translation for level in found.datasets] == [(0, 7, -38), (0, 7.5, -36.75)]
    assert read(write_attributes(found, version)) == found


def test_the_frame_of_a_file_wins_over_the_default(version):
    """A default speaks for files that say nothing."""
    attributes = write_attributes(image(frame="center"), version)
    assert read(attributes, "corner").frame == "center"
    del attributes["ngio_x"]
    assert read(attributes, "center").frame == "center"
    assert read(attributes).frame == "corner"


def test_channels_without_names_and_windows_get_them(version):
    """Only what is there is read."""
    attributes = write_attributes(image(), version)
    attributes.get("ome", attributes)["omero"]["channels"] = [
        {},
        {"label": "b", "window": {"min": 1, "max": 5}},
        {"color": "00ff00"},
    ]
    found = read(attributes).channels
    assert [channel.label for channel in found] == ["channel_0", "b", "channel_2"]
    assert (found[1].limits, found[1].display, found[2].color) == ((1, 5), (1, 5), "00FF00")


def test_attributes_are_not_changed(version):
    """Reading leaves its input alone."""
    attributes = write_attributes(image(), version)
    before = copy.deepcopy(attributes)
    read(attributes)
    assert attributes == before
