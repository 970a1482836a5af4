"""Images in another version than they were written in, as other readers see them."""

import pytest
from numpy.testing import assert_array_equal

import ngio_x as nx

OTHER = {"0.4": "0.5", "0.5": "0.4"}

pytestmark = pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")


def check_same(seen, expected):
    """All but the versions that documents name is the same."""
    assert [level.path for level in seen.levels] == [level.path for level in expected.levels]
    for level, other in zip(seen.levels, expected.levels, strict=True):
        assert_array_equal(level.pixels, other.pixels)
        assert (level.scale, level.translation) == (other.scale, other.translation)
    for field in ("units", "channels", "colors", "display", "active", "name"):
        assert getattr(seen, field) == getattr(expected, field)
    assert seen.labels.keys() == expected.labels.keys()
    for name, labels in seen.labels.items():
        check_same(labels, expected.labels[name])


@pytest.mark.parametrize("axes", ["cyx", "tczyx"])
def test_a_peer_sees_the_same_of_its_own_image(peer, example, theirs, seen, tmp_path):
    """In the other version, and again in the first."""
    new, back = tmp_path / "new.zarr", tmp_path / "back.zarr"
    nx.upgrade_ome_zarr(theirs, new, version=OTHER[example.version])
    check_same(peer.read(new), seen)
    nx.upgrade_ome_zarr(new, back, version=example.version)
    check_same(peer.read(back), seen)


@pytest.mark.parametrize("axes", ["cyx"])
def test_a_peer_sees_the_same_of_images_of_ngio_x(peer, example, gallery, seen_in_gallery, tmp_path):
    """In the other version."""
    nx.upgrade_ome_zarr(gallery(example), tmp_path / "new.zarr", version=OTHER[example.version])
    check_same(peer.read(tmp_path / "new.zarr"), seen_in_gallery(peer, gallery(example)))
    assert nx.validate_ome_zarr(tmp_path / "new.zarr").errors == ()
