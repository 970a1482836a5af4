"""Regions as notebooks show them."""

import pickle
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import ngio_x as nx
from ngio_x import _html

NASTY = '<script>alert("&\x00")</script>'


def parsed(value):
    """The markup of a value, read by an XML parser; it has neither scripts nor ids."""
    text = value._repr_html_()
    root = ET.fromstring(text)
    assert text == value._repr_html_()
    assert not [node for node in root.iter() if node.tag.endswith("script") or "id" in node.attrib]
    return root


def rectangles(root):
    """The drawn boxes as `(x, y, width, height)`; the first is the frame."""
    found = [node for node in root.iter() if node.tag.endswith("rect")]
    return np.array([[float(node.get(key)) for key in ("x", "y", "width", "height")] for node in found])


def tooltips(root):
    return [node.text for node in root.iter() if node.tag.endswith("title")]


def test_a_region_shows_its_fields_and_its_box():
    """Extras are fields, and texts are texts, whatever is in them."""
    roi = nx.Roi.from_values({"x": (10, 30), "y": (5, 20)}, NASTY, label=7, why=NASTY)
    root = parsed(roi)
    cells = [node.text for node in root.iter("td")]
    assert cells[:5] == [NASTY.replace("\x00", "\ufffd"), "7", "world", "[10, 40), length 30", "[5, 25), length 20"]
    frame, box = rectangles(root)
    assert np.array_equal(frame, box)
    assert box[2] / box[3] == pytest.approx(30 / 20)


@pytest.mark.parametrize(
    "slices",
    [
        {"y": (None, None), "x": (3, None)},
        {"y": (0, 0), "x": (-1e308, 1.5e308)},
        {"y": (-1e308, 0), "x": (1e308, 1e-300)},
        {"t": (0, 5), "z": (2, 1e-9), "c": (0, 1)},
        {"b": (0, 5), "a": (2, 1e9)},
        {"y": (1e17, 0), "x": (0, 1)},
    ],
    ids=str,
)
def test_any_region_can_be_drawn(slices):
    """Open, empty and huge ones have boxes of finite numbers, within the drawing."""
    root = parsed(nx.Roi.from_values(slices, None))
    svg = next(node for node in root.iter() if node.tag.endswith("svg"))
    boxes = rectangles(root)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > 0).all()
    assert (boxes[:, 0] + boxes[:, 2] <= float(svg.get("width"))).all()
    assert (boxes[:, 1] + boxes[:, 3] <= float(svg.get("height"))).all()


def test_regions_are_drawn_where_they_are():
    """In proportion to the hull of all, and with their names as tooltips."""
    rois = [
        nx.Roi.from_values({"y": (0, 10), "x": (0, 10)}, "a"),
        nx.Roi.from_values({"y": (50, 50), "x": (90, 10)}, "b"),
    ]
    root = parsed(nx.show(rois))
    frame, first, second = rectangles(root)
    scale = frame[2] / 100
    assert first == pytest.approx([*frame[:2], 10 * scale, 10 * scale], abs=0.02)
    assert second == pytest.approx([frame[0] + 90 * scale, frame[1] + 50 * scale, 10 * scale, 50 * scale], abs=0.02)
    assert tooltips(root) == [
        "a: y [0, 10), length 10, x [0, 10), length 10",
        "b: y [50, 100), length 50, x [90, 100), length 10",
    ]


def test_open_boxes_are_dashed():
    """And reach the end of the drawing."""
    rois = [
        nx.Roi.from_values({"y": (0, 10), "x": (0, 10)}, "a"),
        nx.Roi.from_values({"y": (2, None), "z": (0, 1)}, "b"),
    ]
    root = parsed(nx.show(rois))
    dashes = [node.get("stroke-dasharray") for node in root.iter() if node.tag.endswith("rect")]
    frame, _, second = rectangles(root)
    assert dashes == [None, None, "4 3"]
    assert second[0] == frame[0]
    assert second[2] == frame[2]
    assert second[1] + second[3] == pytest.approx(frame[1] + frame[3], abs=0.02)


def test_an_image_is_the_frame_and_pixels_are_its_positions():
    """Regions that lie outside it can be seen to do so."""
    image = nx.as_image(np.zeros((100, 50)), ("y", "x"), 2.0, origin=10.0)
    inside = nx.Roi.from_values({"y": (0, 50), "x": (25, 25)}, "in", space="pixel")
    outside = nx.Roi.from_values({"y": (10, 20), "x": (110, 100)}, "out")
    drawing = nx.show([inside, outside], image)
    assert drawing.frame == nx.Roi.from_values({"y": slice(10, 210), "x": slice(10, 110)}, "image")
    assert drawing.rois[0] == nx.Roi.from_values({"y": (10, 100), "x": (60, 50)}, "in")
    frame, first, second = rectangles(parsed(drawing))
    assert first[0] == pytest.approx(frame[0] + frame[2] / 2, abs=0.02)
    assert first[3] == pytest.approx(frame[3] / 2, abs=0.02)
    assert second[0] == pytest.approx(frame[0] + frame[2], abs=0.02)


def test_of_very_many_regions_some_are_drawn_and_said_to_be():
    """A page stays below half a megabyte; those that are drawn are spread over all."""
    rois = [nx.Roi.from_values({"y": (k, 1), "x": (k, 1)}, f"region {k}") for k in range(20_000)]
    drawing = nx.show(rois)
    text = drawing._repr_html_()
    assert len(text) < 300_000
    assert "1000 of 20000 regions, evenly spread" in text
    assert (drawing.drawn[0], drawing.drawn[-1]) == (rois[0], rois[-1])
    assert len(nx.show(rois, limit=3).drawn) == 3
    assert str(nx.show(rois[:1])) == "1 region"
    assert "no regions" in nx.show([])._repr_html_()


def test_a_drawing_is_a_value():
    """It compares, hashes and pickles; the regions are as they were."""
    rois = [nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "a")]
    drawing = nx.show(rois)
    assert drawing == nx.show(list(rois)) == pickle.loads(pickle.dumps(drawing))
    assert hash(drawing) == hash(nx.show(rois))


def test_what_cannot_be_drawn_is_refused():
    """Naming what to do."""
    world = nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "a")
    pixel = nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "b", space="pixel")
    with pytest.raises(nx.errors.NgioValueError, match="pass the image"):
        nx.show([world, pixel])
    with pytest.raises(nx.errors.NgioTypeError, match="put a single one into a list"):
        nx.show(world)
    with pytest.raises(nx.errors.NgioTypeError, match="image must be a DataArray, Dataset or DataTree, got ndarray"):
        nx.show([world], np.zeros((3, 3)))
    with pytest.raises(nx.errors.NgioValueError, match=r"axes must be of the image's .* to be drawn, got 'z'"):
        nx.show([world], nx.as_image(np.zeros((3, 3))), axes=("z", "y"))
    with pytest.raises(nx.errors.NgioValueError, match="axes must name each axis once"):
        nx.show([world], axes=("y", "y"))
    with pytest.raises(nx.errors.NgioValueError, match="limit must be ≥ 1"):
        nx.show([world], limit=0)


def test_markup_is_escaped_once():
    """What is markup stays as it is; everything else is a text."""
    inside = _html.element("b", "<&>")
    assert _html.element("p", inside, '"', title="<'\"") == '<p title="&lt;&#x27;&quot;"><b>&lt;&amp;&gt;</b>"</p>'
    root = ET.fromstring(_html.page(NASTY, _html.swatch("00FF00")).partition("\n")[2])
    assert root.find("head/title").text == NASTY.replace("\x00", "\ufffd")
