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


def first_centres(written, scales):
    """Return where readers of centres see the first pixel's lower edge, of each level, on space axes."""
    return [
        tuple(at - size / 2 for at, size in zip(*level, strict=True)) for level in zip(written, scales, strict=True)
    ]


class TestImagesWithAPlace:
    """The world's zero has no part in it: an image that is moved has its translations moved, and nothing else."""

    @pytest.mark.parametrize("frame", ["corner", "center"])
    @pytest.mark.parametrize("level_origin", ["center", "corner"])
    def test_a_moved_image_has_moved_translations(self, frame, level_origin):
        """By as much, at each level and along each axis."""
        for scale in (FINE, COARSE):
            here = written_translation(EDGE, scale, FINE, AXES, level_origin, frame)
            moved = written_translation(np.add(EDGE, (5, 0, -2, 3)), scale, FINE, AXES, level_origin, frame)
            assert np.subtract(moved, here).tolist() == [5, 0, -2, 3]

    def test_a_lone_level_is_read_by_its_frame(self):
        """Its translation is the edge, or the centre of its first pixel; time and channels are exempt."""
        assert read_edges([EDGE], [FINE], AXES) == [EDGE]
        assert read_edges([EDGE], [FINE], AXES, frame="center") == [(10, 0, -4.25, 6.875)]

    def test_readers_of_centres_see_the_levels_over_each_other(self):
        """In the corner frame half a pixel of level 0 below their place, all alike; in the centre frame in place."""
        scales = [(0.5, 0.25), (1.0, 1.0)]
        for frame, seen in (("corner", (-4.25, 6.875)), ("center", (-4, 7))):
            written = [written_translation((-4, 7), scale, scales[0], ("y", "x"), frame=frame) for scale in scales]
            assert first_centres(written, scales) == [seen] * 2

    def test_each_axis_is_recognised_by_itself(self):
        """Along x the levels stay where they are, along y they move, and z has pixels of one size."""
        scales = [(2.0, 0.5, 0.5), (2.0, 1.0, 1.0)]
        edges = read_edges([(1.0, 0.0, 0.0), (1.0, 0.25, 0.0)], scales, ("z", "y", "x"))
        assert edges == [(1, 0, 0)] * 2


class TestCroppedTrees:
    """The levels of a piece begin wherever their own pixels do: coarser ones at or below the finer ones."""

    AXES = ("y", "x")
    SCALES = ((0.5, 0.5), (1.0, 1.0), (2.0, 2.0))
    EDGES = ((3.5, 4.0), (3.0, 4.0), (2.0, 4.0))

    def written(self, level_origin, frame):
        return [
            written_translation(edge, scale, self.SCALES[0], self.AXES, level_origin, frame)
            for edge, scale in zip(self.EDGES, self.SCALES, strict=True)
        ]

    @pytest.mark.parametrize("frame", ["corner", "center"])
    @pytest.mark.parametrize("level_origin", ["center", "corner"])
    def test_every_level_comes_back_where_it_began(self, frame, level_origin):
        """With what the file says about itself."""
        edges = read_edges(self.written(level_origin, frame), self.SCALES, self.AXES, level_origin, frame)
        assert edges == list(self.EDGES)

    @pytest.mark.parametrize("frame", ["corner", "center"])
    def test_every_level_comes_back_without_a_note(self, frame):
        """As any file that follows OME-NGFF's recommendation."""
        assert read_edges(self.written("center", frame), self.SCALES, self.AXES, frame=frame) == list(self.EDGES)

    def test_readers_of_centres_see_each_level_in_its_place(self):
        """All are half a pixel of level 0 below, wherever they begin."""
        seen = first_centres(self.written("center", "corner"), self.SCALES)
        assert (np.subtract(self.EDGES, seen) == 0.25).all()

    def test_a_note_tells_apart_what_translations_cannot(self):
        """By a factor of 3, a level that begins one fine pixel lower has the translation of level 0."""
        scales, edges = [(1.0, 1.0), (3.0, 3.0)], [(1.0, 1.0), (0.0, 0.0)]
        written = [written_translation(*level, scales[0], self.AXES) for level in zip(edges, scales, strict=True)]
        assert written == [(1, 1), (1, 1)]
        assert read_edges(written, scales, self.AXES, "center") == edges
        assert read_edges(written, scales, self.AXES) == [(1, 1), (1, 1)]


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

    @pytest.mark.parametrize("frame", ["corner", "center"])
    @pytest.mark.parametrize("level_origin", ["center", "corner"])
    def test_levels_that_all_are_coarser_than_the_image(self, frame, level_origin):
        """A segmentation of level 1 with a level of its own, at another place: both come back, noted or not."""
        place, coarser = (10.0, 0.0, -2.0, 9.0), (6.0, 1.0, 2.0, 2.0)
        written = [written_translation(place, scale, FINE, AXES, level_origin, frame) for scale in (COARSE, coarser)]
        beside = {"base_scale": FINE, "base_translation": written_translation(EDGE, FINE, FINE, AXES, frame=frame)}
        for told in (level_origin, None):
            assert read_edges(written, [COARSE, coarser], AXES, told, frame, **beside) == [place] * 2

    def test_readers_of_centres_see_labels_over_their_image(self):
        """Pixels of another size begin where those of the image do, because both count from its level 0."""
        scales, edge = [(0.5, 0.25), (0.75, 0.75)], (-4.0, 7.0)
        written = [written_translation(edge, scale, scales[0], ("y", "x")) for scale in scales]
        assert first_centres(written, scales) == [(-4.25, 6.875)] * 2


@pytest.mark.parametrize(
    ("arguments", "message"), [(("center", "middle"), "frame must be"), (("left",), "level_origin")]
)
def test_unknown_words_are_refused(arguments, message):
    """In both directions, with the words that exist."""
    with pytest.raises(NgioValueError, match=f"{message}.*'corner'"):
        written_translation(EDGE, FINE, FINE, AXES, *arguments)
    with pytest.raises(NgioValueError, match=f"{message}.*'corner'"):
        read_edges([EDGE], [FINE], AXES, *arguments)
