"""Models of OME-NGFF documents: values that check themselves."""

import pickle

import attrs
import pytest

import ngio_x as nx
from ngio_x.errors import NgioValueError
from ngio_x.ngff.documents import Acquisition, ImageLabel, LabelList, Multiscales, Plate, PlateWell, Well, WellImage

HANDLER = nx.AxesHandler((nx.Axis("c"), nx.Axis("y", unit="micrometer"), nx.Axis("x", unit="nanometer")))
LEVEL = nx.Dataset("0", HANDLER, (1, 0.5, 0.25), (0, 3, -4))
DOCUMENTS = [
    Multiscales((LEVEL,), name="n", rest={"a": {"b": [1, {}]}}, others={"c": None}),
    Multiscales((LEVEL,), label=ImageLabel("../../", {1: (1, 2, 3, 4), 2: None}, {1: {"class": "a"}})),
    LabelList(("a", "b/c")),
    Well((WellImage("0", 1), WellImage("1")), rest={"a": 1}),
    Plate(("A",), ("1",), (PlateWell("A/1", 0, 0),), "p", 1, (Acquisition(0, "a", 2),)),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_documents_hash_pickle_and_do_not_change(document):
    """They are values."""
    copy = pickle.loads(pickle.dumps(document))
    assert copy == document
    assert hash(copy) == hash(document)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        document.rest = {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Multiscales(()), "datasets must hold at least one level"),
        (lambda: Multiscales((3,)), "datasets must be an instance of Dataset, got 3 at position 0"),
        (lambda: Multiscales((LEVEL,), frame="left"), "frame must be one of 'corner', 'center', got 'left'"),
        (lambda: Multiscales((LEVEL,), level_origin="left"), "level_origin must be one of"),
        (lambda: Multiscales((LEVEL,), rest=3), "rest must be a mapping, got 3"),
        (lambda: Multiscales((LEVEL,), label=3), "label must be an instance of ImageLabel, got 3"),
        (lambda: ImageLabel(colors={1: (1, 2, 3)}), "colors must be red, green, blue and alpha between 0 and 255"),
        (lambda: ImageLabel(colors={1: (1, 2, 3, 256)}), "colors must be red, green, blue and alpha"),
        (lambda: ImageLabel(properties={1.5: {}}), "properties must be an integer, got 1.5"),
        (lambda: Well((WellImage(""),)), "path must be a non-empty string"),
        (lambda: WellImage("0", -1), "acquisition must be ≥ 0, got -1"),
        (lambda: Acquisition(-1), "id must be ≥ 0, got -1"),
        (lambda: PlateWell("A/1", -1, 0), "row_index must be ≥ 0, got -1"),
        (lambda: Plate(("A",), ("",), ()), "columns must be a non-empty string"),
    ],
)
def test_faulty_fields_are_refused(make, message):
    """The field is named."""
    with pytest.raises(NgioValueError, match=message):
        make()


def test_a_label_image_is_placed_relative_to_its_image():
    """Edges of levels on a coarser grid are found with the pixel size of the image."""
    levels = (LEVEL, nx.Dataset("1", HANDLER, (1, 1.0, 0.5), (0, 3.25, -3.875)))
    image = Multiscales(levels)
    labels = Multiscales(levels[1:], label=ImageLabel())
    assert image.edges() == [(0, 3, -4)] * 2
    assert labels.edges(image) == [(0, 3, -4)]
