"""Edges and translations."""

import pytest

from ngio_x.errors import NgioValueError
from ngio_x.metadata.frame import read_edges, written_translation

AXES = ("t", "c", "y", "x")
BASE, COARSE = (2.0, 1.0, 0.5, 0.5), (2.0, 1.0, 2.0, 1.0)
EDGE = (3.0, 0.0, 10.0, -4.0)


def test_corner_frame_puts_the_edge_of_level_0_into_the_file():
    """So that a region means what it means to ngio."""
    assert written_translation(EDGE, BASE, BASE, AXES) == EDGE


def test_corner_frame_shifts_coarse_levels_by_half_the_difference_in_pixel_size():
    """(s_n - s_0) / 2 in space, nothing along time and channels (OME-NGFF 0.6, binning)."""
    assert written_translation(EDGE, COARSE, BASE, AXES) == (3.0, 0.0, 10.75, -3.75)


def test_level_origin_corner_writes_constant_translations():
    """As ngio does."""
    assert written_translation(EDGE, COARSE, BASE, AXES, level_origin="corner") == EDGE


def test_center_frame_writes_the_centre_of_the_first_pixel():
    """On space axes; time and channels have no centre."""
    assert written_translation(EDGE, COARSE, BASE, AXES, frame="center") == (3.0, 0.0, 11.0, -3.5)


@pytest.mark.parametrize("frame", ["corner", "center"])
@pytest.mark.parametrize("level_origin", ["corner", "center"])
def test_reading_undoes_writing(frame, level_origin):
    """For every frame and level origin, exactly."""
    scales = (BASE, COARSE)
    written = [written_translation(EDGE, scale, BASE, AXES, level_origin, frame) for scale in scales]
    assert read_edges(written, scales, AXES, level_origin, frame) == [EDGE, EDGE]
    if frame == "corner":
        assert read_edges(written, scales, AXES, None, frame) == [EDGE, EDGE]


def test_labels_are_read_relative_to_their_image():
    """A label image that begins at a coarser level has the image's level 0 as its base."""
    written = written_translation(EDGE, COARSE, BASE, AXES)
    assert read_edges([written], [COARSE], AXES, "center", base_scale=BASE) == [EDGE]


def test_unknown_choices_are_refused():
    """The error lists the two."""
    with pytest.raises(NgioValueError, match="frame must be 'corner' or 'center', got 'middle'"):
        written_translation(EDGE, BASE, BASE, AXES, frame="middle")
    with pytest.raises(NgioValueError, match="level_origin must be 'center' or 'corner', got 'middle'"):
        read_edges([EDGE], [BASE], AXES, "middle")
