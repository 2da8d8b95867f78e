"""Generates the manifests: ``plugin.json`` for Python hosts, ``openclaw.plugin.json`` for the Node gateway.

``python -m openclaw_oauthrouter.openclaw.manifest --write`` refreshes both files; tests keep them equal to what is generated.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from openclaw_oauthrouter import __version__, hookspecs
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.pydantic_model import model_of
from openclaw_oauthrouter.openclaw.provider_entry import PROVIDER_ID, TOKEN_VARIABLE, ProviderEntry, provider_entry

DESCRIPTION = "One local address for all of your own model credentials; picks the cheapest capable model for every request."
SHIM = Path(__file__).parent / "shim"
"""The folder that OpenClaw loads."""

PYTHON_KEY = "python"
"""Key of the plugin's configuration that the shim keeps to itself: the interpreter that holds this package."""

CONFIG_FILE_KEY = "configFile"
"""Another: the file that ``serve`` is given with ``--config``."""


def python_manifest() -> JsonObject:
    """``plugin.json``: what a Python host has to know before it loads anything."""
    entry = provider_entry(Settings())
    return {
        "id": PROVIDER_ID,
        "name": entry.label,
        "version": __version__,
        "description": DESCRIPTION,
        "entryPoint": {"group": hookspecs.PROJECT, "name": PROVIDER_ID, "module": "openclaw_oauthrouter.openclaw.plugin"},
        "hooks": hook_names(),
        "provider": {"id": entry.id, "label": entry.label, "baseUrl": entry.base_url, "api": entry.api},
        "models": list(entry.models),
        "configSchema": config_schema(),
    }


def host_manifest() -> JsonObject:
    """``openclaw.plugin.json``: what the Node gateway reads before it loads the shim."""
    entry = provider_entry(Settings())
    schema = config_schema(_WithoutDefaults)
    schema["properties"][PYTHON_KEY] = {
        "type": "string",
        "description": "the Python interpreter that openclaw_oauthrouter is installed in",
    }
    schema["properties"][CONFIG_FILE_KEY] = {
        "type": "string",
        "description": "configuration file of the gateway, where it is not the usual one; what stands here beside it wins",
    }
    return {
        "id": PROVIDER_ID,
        "name": entry.label,
        "description": DESCRIPTION,
        "version": __version__,
        "categories": ["models"],
        "activation": {"onStartup": True},
        "providers": [entry.id],
        "contracts": {
            "usageProviders": [entry.id],
            "embeddingProviders": [entry.id],
            "mediaUnderstandingProviders": [entry.id],
        },
        # No model for speech: which provider transcribes is known only to the running gateway. No native documents either: the host
        # sends those to two vendors by name, and would refuse pages and passwords of PDFs for us.
        "mediaUnderstandingProviderMetadata": {
            entry.id: {
                "capabilities": ["image", "audio"],
                "defaultModels": {"image": "auto"},
                "autoPriority": {"image": 90, "audio": 90},
            }
        },
        "setup": {"providers": [{"id": entry.id, "envVars": [TOKEN_VARIABLE]}]},
        "syntheticAuthRefs": [entry.id],
        "providerAuthChoices": [_auth_choice(entry)],
        # No baseUrl here: it would win over the one the shim computes from the configured port.
        "modelCatalog": {
            "providers": {entry.id: {"api": entry.api, "models": list(entry.models)}},
            "discovery": {entry.id: "runtime"},
        },
        "configSchema": schema,
    }


def _auth_choice(entry: ProviderEntry) -> JsonObject:
    """How OpenClaw's own set-up offers us."""
    return {
        "provider": entry.id,
        "method": "local",
        "choiceId": f"{entry.id}-local",
        "choiceLabel": f"{entry.label} (local gateway)",
        "choiceHint": "Your own sign-ins and keys, the cheapest capable model for every turn",
        "groupId": entry.id,
        "groupLabel": entry.label,
        "groupHint": "A gateway on this machine",
    }


def package_manifest() -> JsonObject:
    """``package.json`` of the shim."""
    return {
        "name": "openclaw-oauthrouter-shim",
        "version": __version__,
        "private": True,
        "type": "module",
        "license": "MIT",
        "openclaw": {"extensions": ["./index.js"], "install": {"minHostVersion": ">=2026.9.0"}},
    }


def hook_names() -> list[str]:
    """Every hook of the project ``openclaw``, in the order a request meets them."""
    return [name for name in vars(hookspecs) if name.startswith(("oauthrouter_", "openclaw_"))]


class _WithoutDefaults(GenerateJsonSchema):
    """The host fills in the defaults of a schema, which would outvote the user's own configuration file and environment."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """What the field holds, without what it holds when nothing is said."""
        return self.generate_inner(schema["schema"])


def config_schema(generator: type[GenerateJsonSchema] = GenerateJsonSchema) -> JsonObject:
    """The settings as JSON Schema, in the original's camelCase."""
    schema: JsonObject = model_of(Settings).model_json_schema(by_alias=True, schema_generator=generator)
    inlined: JsonObject = _inline(schema, schema.pop("$defs", {}))
    return inlined


def _inline(node: Any, definitions: JsonObject) -> Any:
    # The host's form renderer does not follow references, so the schema is spelt out.
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        return {**_inline(target, definitions), **{key: value for key, value in node.items() if key != "$ref"}}
    return {key: _inline(value, definitions) for key, value in node.items()}


def manifests(root: Path) -> dict[Path, str]:
    """Every generated file of a checkout and what it must hold."""
    contents = {
        root / "plugin.json": python_manifest(),
        SHIM / "openclaw.plugin.json": host_manifest(),
        SHIM / "package.json": package_manifest(),
    }
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in contents.items()}


def stale(root: Path) -> list[Path]:
    """Generated files that no longer say what the code says."""
    return [path for path, text in manifests(root).items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write the files with ``--write``; otherwise name the stale ones and return 1 if there are any."""
    root = Path(__file__).parents[2]
    old = stale(root)
    if "--write" in arguments:
        for path in old:
            path.write_text(manifests(root)[path], encoding="utf-8")
        return 0
    sys.stdout.writelines(f"stale: {path.relative_to(root)}\n" for path in old)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
