"""Reads the data files this room ships."""

from __future__ import annotations

from importlib.resources import files

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject


def read_data(*path: str) -> JsonObject:
    """A JSON file below ``data/``, as shipped in the package."""
    loaded: JsonObject = orjson.loads(files(__package__).joinpath("data", *path).read_bytes())
    return loaded


def data_names(folder: str) -> list[str]:
    """Names of the JSON files in a folder below ``data/``, sorted."""
    return sorted(entry.name for entry in files(__package__).joinpath("data", folder).iterdir() if entry.name.endswith(".json"))
