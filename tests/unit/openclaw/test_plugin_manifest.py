"""The generated manifests say what the code says."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.openclaw import manifest
from openclaw_oauthrouter.openclaw.plugin import openclaw_register_provider
from openclaw_oauthrouter.plugins import create_plugin_manager

ROOT = Path(__file__).parents[3]


def test_files_are_as_generated() -> None:
    assert manifest.stale(ROOT) == [], "run: python -m openclaw_oauthrouter.openclaw.manifest --write"


def test_plugin_manifest_missing_file_is_stale(tmp_path: Path) -> None:
    assert tmp_path / "plugin.json" in manifest.stale(tmp_path)


def test_plugin_manifest_entry_point_is_ours_and_offers_the_provider() -> None:
    hooks = create_plugin_manager().hook
    offered = hooks.openclaw_register_provider(settings=Settings())
    assert [(entry.id, entry.base_url, entry.api) for entry in offered] == [
        ("oauthrouter", "http://127.0.0.1:8402/v1", "openai-completions")
    ]
    named = manifest.python_manifest()["entryPoint"]
    assert named["module"] == openclaw_register_provider.__module__


def test_plugin_manifest_every_hook_is_listed_in_order() -> None:
    names = manifest.hook_names()
    assert names[0] == "openclaw_register_provider"
    assert names[-1] == "openclaw_gateway_stop"
    assert "hookimpl" not in names


@pytest.mark.parametrize("schema", [manifest.python_manifest()["configSchema"], manifest.host_manifest()["configSchema"]])
def test_plugin_manifest_schema_needs_no_references_and_refuses_unknown_keys(schema: dict) -> None:
    assert "$ref" not in json.dumps(schema)
    assert schema["additionalProperties"] is False
    assert "spendControls" in schema["properties"]


def test_plugin_manifest_host_is_given_no_defaults_to_fill_in() -> None:
    server = manifest.host_manifest()["configSchema"]["properties"]["server"]
    assert "default" not in server
    assert "default" not in server["properties"]["port"]
    assert manifest.python_manifest()["configSchema"]["properties"]["server"]["properties"]["port"]["default"] == 8402


def test_plugin_manifest_only_the_shim_knows_the_interpreter() -> None:
    assert "python" in manifest.host_manifest()["configSchema"]["properties"]
    with pytest.raises(ValidationError):
        Settings.model_validate({"python": "/usr/bin/python3"})


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:9000/v1"), ("0.0.0.0", "http://127.0.0.1:9000/v1"), ("10.0.0.5", "http://10.0.0.5:9000/v1")],
)
def test_plugin_manifest_address_is_one_that_local_clients_reach(host: str, expected: str) -> None:
    settings = Settings.model_validate({"server": {"listenHost": host, "port": 9000}})
    assert openclaw_register_provider(settings).base_url == expected
