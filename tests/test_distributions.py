"""The wheel and the source distribution hold what they should, and nothing else."""

import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def files_under(*folders):
    """Return the files of the folders as they are in the checkout, without what Python and the tools leave there."""
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("sdist")), versions=["standard"])
    with tarfile.open(path) as archive:
        yield archive


def test_the_wheel_is_the_package_its_licence_and_its_metadata(wheel):
    """A user gets the modules, the marker of types, the licence, and the wheel's own files: no tests, no docs."""
    about = f"ngio_x-{VERSION}.dist-info"
    own = {f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert "ngio_x/py.typed" in wheel.namelist()
    assert set(wheel.namelist()) == files_under("ngio_x") | own


def test_the_source_is_what_builds_tests_and_documents(source):
    """Whoever packages ngio_x can build it, run its tests and make its documentation from the source distribution."""
    folders = files_under("ngio_x", "tests", "property_tests", "benchmarks", "docs")
    top = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert set(source.getnames()) == {f"ngio_x-{VERSION}/{name}" for name in folders | top}


def test_the_wheel_states_what_the_page_of_the_package_needs(wheel):
    """The metadata has the readme, the versions of Python, the command, and the entry point of xarray."""
    metadata = wheel.read(f"ngio_x-{VERSION}.dist-info/METADATA").decode()
    assert "Requires-Python: >=3.11" in metadata
    assert (ROOT / "README.md").read_text().splitlines()[0] in metadata
    entries = wheel.read(f"ngio_x-{VERSION}.dist-info/entry_points.txt").decode()
    assert "ngio-x = ngio_x.cli:main" in entries
    assert "ome-zarr = ngio_x.ngff.engine:OmeZarrBackend" in entries


def test_distributions_are_small(source):
    """Images that the tests need do not make the download heavy."""
    sizes = {PurePosixPath(file.name): file.size for file in source.getmembers()}
    assert sum(sizes.values()) < 8 * 2**20
    assert max(sizes.values()) < 2**20, max(sizes, key=sizes.get)
