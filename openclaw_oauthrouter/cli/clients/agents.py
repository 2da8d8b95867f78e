"""Coding agents of the command line; each tried with the version that docs/clients.md names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.clients.client import (
    MOST_OUTPUT,
    Client,
    FileEdits,
    Place,
    Target,
    Variables,
    as_json,
    says,
    usual_variables,
)
from openclaw_oauthrouter.openclaw.names import LABEL, PROVIDER_ID

if TYPE_CHECKING:
    from openclaw_oauthrouter.edits.edit import Edit

# ------------------------------------------------------------------ Claude Code

EFFORT = "medium"
"""Claude Code sends ``high`` for every model it does not know, which would keep ``auto`` from ever choosing a small one."""


def claude_variables(target: Target) -> dict[str, str]:
    """What Claude Code reads: where to send, the extra model of its picker, when to compact, and how hard to think."""
    return {
        "ANTHROPIC_BASE_URL": target.address,
        "ANTHROPIC_CUSTOM_MODEL_OPTION": "auto",
        "ANTHROPIC_CUSTOM_MODEL_OPTION_NAME": f"{LABEL} auto",
        "ANTHROPIC_CUSTOM_MODEL_OPTION_DESCRIPTION": "The cheapest model that is capable enough, chosen for each turn",
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(target.window),
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        "CLAUDE_CODE_EFFORT_LEVEL": EFFORT,
    }


def _run_claude(target: Target) -> Variables:
    return {
        **claude_variables(target),
        "ANTHROPIC_AUTH_TOKEN": target.token,
        "ANTHROPIC_API_KEY": None,
        "ANTHROPIC_MODEL": target.model,
    }


def _claude_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutJson

    variables = claude_variables(target)
    edits: list[Edit] = [PutJson(path=("env", name), value=value) for name, value in variables.items()]
    edits.append(PutJson(path=("apiKeyHelper",), value=shlex.join(target.token_command)))
    if target.select:
        edits.append(PutJson(path=("model",), value=target.model))
    return [FileEdits(place.folder("CLAUDE_CONFIG_DIR", ".claude") / "settings.json", tuple(edits))]


CLAUDE_CODE = Client(
    "claude-code", "Claude Code", ("claude",), _run_claude, files=_claude_files, selects=True, other_names=("claude",)
)

# ------------------------------------------------------------------ Codex


def _codex_provider(target: Target) -> dict[str, str]:
    command, *arguments = target.token_command
    return {
        "name": as_json(LABEL),
        "base_url": as_json(target.openai),
        "wire_api": '"responses"',
        "auth": f"{{ command = {as_json(command)}, args = {as_json(arguments)} }}",
    }


def _codex_arguments(target: Target, words: Sequence[str]) -> list[str]:
    table = ", ".join(f"{key} = {value}" for key, value in _codex_provider(target).items())
    settings = [f"model_providers.{PROVIDER_ID}={{ {table} }}", f"model_provider={as_json(PROVIDER_ID)}"]
    if not says(words, "-m", "--model"):
        settings += [f"model={as_json(target.model)}", f"model_context_window={target.window}"]
    return [word for setting in settings for word in ("-c", setting)]


def _codex_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutTomlBlock, PutTomlKey

    table = _codex_provider(target)
    lines = [f"[model_providers.{PROVIDER_ID}]", *(f"{key} = {value}" for key, value in table.items())]
    edits: list[Edit] = [PutTomlBlock(body="\n".join(lines))]
    if target.select:
        edits += [PutTomlKey(key="model_provider", value=PROVIDER_ID), PutTomlKey(key="model", value=target.model)]
    return [FileEdits(place.folder("CODEX_HOME", ".codex") / "config.toml", tuple(edits))]


def _codex_afterwards(target: Target) -> str:
    return "" if target.select else f"Use it with: codex -c model_provider={PROVIDER_ID} -m {target.model}"


CODEX = Client(
    "codex",
    "Codex CLI",
    ("codex",),
    lambda _: {},
    _codex_arguments,
    files=_codex_files,
    selects=True,
    afterwards=_codex_afterwards,
)

# ------------------------------------------------------------------ opencode


def _opencode(target: Target, key: str) -> JsonObject:
    model = {
        "name": f"{LABEL} {target.model}",
        "attachment": True,
        "reasoning": True,
        "tool_call": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "limit": {"context": target.window, "output": MOST_OUTPUT},
    }
    return {
        "npm": "@ai-sdk/openai-compatible",
        "name": LABEL,
        "options": {"baseURL": target.openai, "apiKey": key},
        "models": {target.model: model},
    }


def _run_opencode(target: Target) -> Variables:
    content = {"provider": {PROVIDER_ID: _opencode(target, "{env:OAUTHROUTER_LOCAL_TOKEN}")}}
    settings = {**content, "model": f"{PROVIDER_ID}/{target.model}"}
    return {"OAUTHROUTER_LOCAL_TOKEN": target.token, "OPENCODE_CONFIG_CONTENT": as_json(settings)}


def _opencode_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutJson

    key = f"{{file:{target.token_file}}}" if target.token_file else "{env:OAUTHROUTER_LOCAL_TOKEN}"
    edits: list[Edit] = [PutJson(path=("provider", PROVIDER_ID), value=_opencode(target, key))]
    if target.select:
        edits.append(PutJson(path=("model",), value=f"{PROVIDER_ID}/{target.model}"))
    folder = place.folder("XDG_CONFIG_HOME", ".config") / "opencode"
    commented = folder / "opencode.jsonc"
    return [FileEdits(commented if commented.is_file() else folder / "opencode.json", tuple(edits))]


OPENCODE = Client("opencode", "opencode", ("opencode",), _run_opencode, files=_opencode_files, selects=True)

# ------------------------------------------------------------------ Cline


def _cline_provider(target: Target) -> JsonObject:
    settings = {"provider": "openai-compatible", "apiKey": target.token, "model": target.model, "baseUrl": target.openai}
    return {"settings": settings, "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}


def _cline_profile(target: Target) -> dict[str, str]:
    providers = {"openai-compatible": _cline_provider(target)}
    text = as_json({"version": 1, "lastUsedProvider": "openai-compatible", "modes": {}, "providers": providers})
    return {"data/settings/providers.json": text}


def _cline_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutJson

    edits: tuple[Edit, ...] = (
        PutJson(path=("version",), value=1),
        PutJson(path=("lastUsedProvider",), value="openai-compatible"),
        PutJson(path=("providers", "openai-compatible"), value=_cline_provider(target)),
    )
    return [FileEdits(place.home / ".cline" / "data" / "settings" / "providers.json", edits)]


CLINE = Client(
    "cline",
    "Cline",
    ("cline",),
    lambda _: {},
    lambda _target, words: [] if says(words, "--data-dir") else ["--data-dir", "{profile}/data"],
    _cline_profile,
    _cline_files,
)

# ------------------------------------------------------------------ Continue


def _continue_model(target: Target) -> str:
    return (
        f"- name: {LABEL} {target.model}\n"
        "  provider: openai\n"
        f"  model: {target.model}\n"
        f"  apiBase: {target.openai}\n"
        f"  apiKey: {as_json(target.token)}\n"
        "  roles: [chat, edit, apply]\n"
        f"  defaultCompletionOptions: {{contextLength: {target.window}, maxTokens: {MOST_OUTPUT}}}\n"
    )


_CONTINUE_HEAD = "name: Local\nversion: 1.0.0\nschema: v1\n"


def _continue_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutYaml

    path = place.folder("CONTINUE_GLOBAL_DIR", ".continue") / "config.yaml"
    edit = PutYaml(place="items of models", body=_continue_model(target), head=_CONTINUE_HEAD)
    return [FileEdits(path, (edit,))]


def _continue_profile(target: Target) -> dict[str, str]:
    items = "".join(f"  {line}\n" for line in _continue_model(target).splitlines())
    return {"config.yaml": f"{_CONTINUE_HEAD}models:\n{items}"}


CONTINUE = Client(
    "continue",
    "Continue",
    ("cn",),
    lambda _: {},
    lambda _target, words: [] if says(words, "--config") else ["--config", "{profile}/config.yaml"],
    _continue_profile,
    _continue_files,
    other_names=("cn",),
)

# ------------------------------------------------------------------ aider


def _run_aider(target: Target) -> Variables:
    return {
        **usual_variables(target),
        "AIDER_OPENAI_API_BASE": target.openai,
        "AIDER_OPENAI_API_KEY": target.token,
        "AIDER_MODEL": f"openai/{target.model}",
        "AIDER_SHOW_MODEL_WARNINGS": "false",
    }


def _aider_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutYaml

    keys = {"openai-api-base": target.openai, "openai-api-key": target.token}
    if target.select:
        keys["model"] = f"openai/{target.model}"
    body = "\n".join(f"{key}: {as_json(value)}" for key, value in keys.items()) + "\nshow-model-warnings: false"
    return [FileEdits(place.home / ".aider.conf.yml", (PutYaml(place="keys", body=body),))]


def _aider_afterwards(target: Target) -> str:
    return "" if target.select else f"Use it with: aider --model openai/{target.model}"


AIDER = Client("aider", "aider", ("aider",), _run_aider, files=_aider_files, selects=True, afterwards=_aider_afterwards)

# ------------------------------------------------------------------ Qwen Code


def _run_qwen(target: Target) -> Variables:
    defaults = {"QWEN_CODE_SYSTEM_DEFAULTS_PATH": f"{{profile}}/{_QWEN_DEFAULTS}"}
    return {**usual_variables(target), "OPENAI_MODEL": target.model, **defaults}


_QWEN_DEFAULTS = "defaults.json"
"""Qwen Code reads these below everything its user has set (``QWEN_CODE_SYSTEM_DEFAULTS_PATH``, 0.24)."""


def _qwen_profile(target: Target) -> dict[str, str]:
    return {_QWEN_DEFAULTS: as_json({"modelProviders": {"openai": [_qwen_model(target)]}})}


def _qwen_model(target: Target) -> dict[str, object]:
    """Of a name it does not know it would think that it sees no pictures."""
    return {
        "id": target.model,
        "name": f"OAuthRouter {target.model}",
        "baseUrl": target.openai,
        "envKey": _QWEN_KEY,
        "generationConfig": {"contextWindowSize": target.window, "modalities": {"image": True, "pdf": True}},
    }


_QWEN_KEY = "OAUTHROUTER_LOCAL_TOKEN"


def _qwen_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import AppendJson, PutJson

    edits: list[Edit] = [
        PutJson(path=("security", "auth", "selectedType"), value="openai"),
        PutJson(path=("security", "auth", "baseUrl"), value=target.openai),
        PutJson(path=("security", "auth", "apiKey"), value=target.token),
        PutJson(path=("model", "name"), value=target.model),
        PutJson(path=("env", _QWEN_KEY), value=target.token),
        AppendJson(path=("modelProviders", "openai"), item=_qwen_model(target)),
    ]
    return [FileEdits(place.home / ".qwen" / "settings.json", tuple(edits))]


QWEN_CODE = Client(
    "qwen-code",
    "Qwen Code",
    ("qwen",),
    _run_qwen,
    lambda _target, words: [] if says(words, "--auth-type") else ["--auth-type", "openai"],
    _qwen_profile,
    files=_qwen_files,
    other_names=("qwen",),
)

AGENTS = (CLAUDE_CODE, CODEX, OPENCODE, CLINE, CONTINUE, AIDER, QWEN_CODE)
