"""The official JSON schemas of OME-NGFF, which the ngff-zarr wheel ships; ngff-zarr itself is not imported."""

import functools
import importlib.metadata
import json

import pytest


def complaints(version, name, attributes):
    """Return what a schema, such as `"image"` or `"strict_label"`, has against the attributes of a group."""
    return [error.message for error in _validator(version, name).iter_errors(attributes)]


@functools.cache
def _validator(version, name):
    jsonschema, referencing = pytest.importorskip("jsonschema"), pytest.importorskip("referencing.jsonschema")
    try:
        distribution = importlib.metadata.distribution("ngff-zarr")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("ngff-zarr is not installed")
    folder = distribution.locate_file(f"ngff_zarr/spec/{version}/schemas")
    schemas = [json.loads(path.read_text()) for path in sorted(folder.glob("*.schema"))]
    registry = referencing.EMPTY_REGISTRY.with_resources(
        (schema["$id"], referencing.DRAFT202012.create_resource(schema)) for schema in schemas if "$id" in schema
    )
    schema = json.loads((folder / f"{name}.schema").read_text())
    return jsonschema.Draft202012Validator(schema, registry=registry)
