import numpy as np
import pytest

from ngio_x.errors import NgioValueError
from ngio_x.metadata.frame import read_edges, written_translation

AXES = ("t", "c", "y", "x")
FINE, COARSE = (3.0, 1.0, 0.5, 0.25), (6.0, 1.0, 1.0, 1.0)
EDGE = (10.0, 0.0, -4.0, 7.0)


def test_corner_frame_writes_the_edge_of_level_0():
    """In the default frame, the translation of level 0 is the world edge of its first pixel."""
    assert written_translation(EDGE, FINE, FINE, AXES) == EDGE


def test_coarser_levels_move_by_half_the_difference_in_pixel_size():
    """OME-NGFF 0.6 recommends (s_n − s_0)/2 for binning; time is exempt."""
    assert written_translation(EDGE, COARSE, FINE, AXES) == (10, 0, -3.75, 7.375)


def test_corner_level_origin_writes_constant_translations():
    """As ngio does."""
    assert written_translation(EDGE, COARSE, FINE, AXES, "corner") == EDGE


@pytest.mark.parametrize("level_origin", ["center", "corner"])
def test_center_frame_writes_the_centre_of_every_first_pixel(level_origin):
    """On space axes the translation is edge + s/2, whatever the level; on time it is the edge, on channels too."""
    assert written_translation(EDGE, COARSE, FINE, AXES, level_origin, "center") == (10, 0, -3.5, 7.5)


def test_the_frames_differ_by_half_a_pixel_of_level_0():
    """On space axes, at every level alike."""
    for scale in (FINE, COARSE):
        corner = written_translation(EDGE, scale, FINE, AXES)
        center = written_translation(EDGE, scale, FINE, AXES, frame="center")
        assert np.subtract(center, corner).tolist() == [0, 0, 0.25, 0.125]


@pytest.mark.parametrize("frame", ["corner", "center"])
@pytest.mark.parametrize("level_origin", ["center", "corner"])
def test_reading_undoes_writing(frame, level_origin):
    """With what the file says about itself, every edge comes back."""
    written = [written_translation(EDGE, scale, FINE, AXES, level_origin, frame) for scale in (FINE, COARSE)]
    assert read_edges(written, [FINE, COARSE], AXES, level_origin, frame) == [EDGE, EDGE]


@pytest.mark.parametrize("level_origin", ["center", "corner"])
def test_the_way_of_writing_is_recognised(level_origin):
    """Where nothing says how levels were shifted, constant translations are edges and others are not."""
    written = [written_translation(EDGE, scale, FINE, AXES, level_origin) for scale in (FINE, COARSE)]
    assert read_edges(written, [FINE, COARSE], AXES) == [EDGE, EDGE]


def test_center_frame_takes_constant_translations_literally():
    """A file that puts all first centres at one place has levels that begin at different edges."""
    edges = read_edges([(0.0, 0.0)] * 2, [(1.0, 1.0), (2.0, 4.0)], ("y", "x"), frame="center")
    assert edges == [(-0.5, -0.5), (-1, -2)]


class TestLabelImages:
    """The levels of a label image are read relative to level 0 of its image."""

    def test_written_beside_a_finer_image(self):
        """A single coarse level moves as the image's level of that size does, and comes back."""
        written = written_translation(EDGE, COARSE, FINE, AXES)
        for level_origin in ("center", None):
            edges = read_edges([written], [COARSE], AXES, level_origin, base_scale=FINE, base_translation=EDGE)
            assert edges == [EDGE]

    def test_single_coarse_level_at_the_place_of_the_image_is_an_edge(self):
        """As ngio writes it: the translation is that of the image, though the pixels are larger."""
        assert read_edges([EDGE], [COARSE], AXES, base_scale=FINE, base_translation=EDGE) == [EDGE]

    def test_levels_of_their_own_tell_how_they_were_written(self):
        """A cropped label image with constant translations lies elsewhere than its image, and is still read."""
        place = (0.0, 0.0, 2.0, 2.0)
        scales = [FINE, COARSE]
        assert read_edges([place] * 2, scales, AXES, base_scale=FINE, base_translation=EDGE) == [place] * 2


@pytest.mark.parametrize(
    ("arguments", "message"), [(("center", "middle"), "frame must be"), (("left",), "level_origin")]
)
def test_unknown_words_are_refused(arguments, message):
    """In both directions, with the words that exist."""
    with pytest.raises(NgioValueError, match=f"{message}.*'corner'"):
        written_translation(EDGE, FINE, FINE, AXES, *arguments)
    with pytest.raises(NgioValueError, match=f"{message}.*'corner'"):
        read_edges([EDGE], [FINE], AXES, *arguments)
