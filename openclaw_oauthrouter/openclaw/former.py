"""What the original OAuthRouter had people write into OpenClaw's files: found, explained, taken out, and never written back where refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.edits.edit import Edit, PutJson, RemoveJson
from openclaw_oauthrouter.edits.json5_text import read, value_at
from openclaw_oauthrouter.openclaw.names import PROVIDER_ID

DEFAULT_MODEL = f"{PROVIDER_ID}/auto"
SEED_ROW = ("agents", "defaults", "models", DEFAULT_MODEL)
PROVIDER = ("models", "providers", PROVIDER_ID)

_ROW_KEYS = frozenset({"alias", "params", "agentRuntime", "pickerRuntimes", "codeMode", "streaming"})
_PROVIDER_KEYS = frozenset(
    [
        "agentRuntime",
        "api",
        "apiKey",
        "auth",
        "authHeader",
        "baseUrl",
        "headers",
        "injectNumCtxForOpenAICompat",
        "localService",
        "maxTokens",
        "models",
        "params",
        "region",
        "request",
        "timeoutSeconds",
    ]
)
_MODEL_KEYS = frozenset(
    [
        "agentRuntime",
        "api",
        "baseUrl",
        "compat",
        "contextTokens",
        "contextWindow",
        "cost",
        "headers",
        "id",
        "input",
        "maxTokens",
        "mediaInput",
        "metadataSource",
        "name",
        "params",
        "reasoning",
        "thinkingLevelMap",
    ]
)
"""What OpenClaw 2026.9.6 takes at these three places; it refuses its whole file over any other key."""


@value(frozen=True, slots=True)
class Former:
    """One thing of the former product's.

    :ivar explanation: what it is and what becomes of it
    :ivar edits: take it out
    """

    explanation: str
    edits: tuple[Edit, ...]


def former_things(document: FrozenObject, *, plugin: bool) -> list[Former]:
    """Everything of the former product that a file holds.

    :param plugin: whether the gateway is to come by the plugin, which an entry of the same name would silently outvote
    """
    found = [_seed_row(document)]
    if plugin:
        found.append(_provider(document))
    return [former for former in found if former is not None]


def _seed_row(document: FrozenObject) -> Former | None:
    row = value_at(document, SEED_ROW)
    if not isinstance(row, dict) or row.keys() <= _ROW_KEYS:
        return None
    refused = sorted(row.keys() - _ROW_KEYS)
    text = (
        f'agents.defaults.models["{DEFAULT_MODEL}"] holds {", ".join(refused)}, as an older description of OAuthRouter said; '
        "OpenClaw 2026.9 refuses these keys there. The provider entry declares them now, so they are removed."
    )
    return Former(text, (PutJson(path=SEED_ROW, value=_only(row, _ROW_KEYS)),))


def _provider(document: FrozenObject) -> Former | None:
    entry = value_at(document, PROVIDER)
    if entry is None or (isinstance(entry, dict) and "localService" in entry):
        return None
    address = entry.get("baseUrl") if isinstance(entry, dict) else None
    text = (
        f"models.providers.{PROVIDER_ID} ({address or 'no address'}) stands there from an earlier set-up. It would win over the "
        "plugin: its address, token and model list instead of the plugin's. It is taken out; 'uninstall' puts it back."
    )
    return Former(text, (RemoveJson(path=PROVIDER),))


def without_refused(text: str) -> tuple[str, list[str]]:
    """A file's text without what OpenClaw refuses at the places where the former product wrote, and the paths of what was left out.

    :raises ConfigurationError: the text is not JSON5
    """
    document = read(text)
    left_out: list[str] = []
    row = value_at(document, SEED_ROW)
    if isinstance(row, dict) and row.keys() - _ROW_KEYS:
        left_out += [f'agents.defaults.models["{DEFAULT_MODEL}"].{key}' for key in sorted(row.keys() - _ROW_KEYS)]
        text = PutJson(path=SEED_ROW, value=_only(row, _ROW_KEYS)).apply(text)
    entry = value_at(document, PROVIDER)
    if isinstance(entry, dict):
        accepted, refused = _accepted_provider(entry)
        if refused:
            left_out += [f"models.providers.{PROVIDER_ID}.{key}" for key in refused]
            text = PutJson(path=PROVIDER, value=accepted).apply(text)
    return text, left_out


def _accepted_provider(entry: FrozenObject) -> tuple[JsonObject, list[str]]:
    """The entry as OpenClaw takes it: known keys only, and every model with the name it demands."""
    refused = sorted(entry.keys() - _PROVIDER_KEYS)
    accepted = _only(entry, _PROVIDER_KEYS)
    models = accepted.get("models")
    if isinstance(models, list):
        rows = []
        for number, model in enumerate(models):
            row = {"id": model} if isinstance(model, str) else model
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                refused.append(f"models[{number}]")
                continue
            refused += [f"models[{number}].{key}" for key in sorted(row.keys() - _MODEL_KEYS)]
            named = _only(row, _MODEL_KEYS) | {"name": row.get("name") or row["id"]}
            if named != model and not row.keys() - _MODEL_KEYS:
                refused.append(f"models[{number}] as it was")
            rows.append(named)
        accepted["models"] = rows
    return accepted, refused


def _only(mapping: Mapping[str, Any], keys: frozenset[str]) -> JsonObject:
    return {key: value for key, value in mapping.items() if key in keys}


def unimported_profiles(state_dir: Path) -> list[Path]:
    """Credential files of older OpenClaws that the present one has not imported; its gateway does not start beside one.

    :param state_dir: OpenClaw's
    """
    return sorted(state_dir.glob("agents/*/agent/auth-profiles.json"))
