"""Editors, chat pages and tools; those configured in their own windows only are explained."""

from __future__ import annotations

import sys

from openclaw_oauthrouter.cli.clients.client import (
    MOST_OUTPUT,
    Client,
    FileEdits,
    Place,
    Target,
    as_json,
)
from openclaw_oauthrouter.openclaw.names import LABEL, PROVIDER_ID

CONTAINER_HOST = "host.docker.internal"
"""What programs in Docker call the machine they run on."""

# ------------------------------------------------------------------ llm


def _llm_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutJson, PutYaml

    usual = "Library/Application Support/io.datasette.llm" if sys.platform == "darwin" else ".config/io.datasette.llm"
    folder = place.folder("LLM_USER_PATH", usual)
    body = "\n".join(
        [
            f"- model_id: {PROVIDER_ID}-{target.model}",
            f"  model_name: {target.model}",
            f"  api_base: {target.openai}",
            f"  api_key_name: {PROVIDER_ID}",
            "  supports_tools: true",
            "  supports_schema: true",
            "  vision: true",
        ]
    )
    return [
        FileEdits(folder / "extra-openai-models.yaml", (PutYaml(place="items", body=body),)),
        FileEdits(folder / "keys.json", (PutJson(path=(PROVIDER_ID,), value=target.token),), holds_keys=True),
    ]


LLM = Client(
    "llm",
    "llm",
    ("llm",),
    files=_llm_files,
    afterwards=lambda target: f"Use it with: llm -m {PROVIDER_ID}-{target.model} …",
)

# ------------------------------------------------------------------ Zed


def _zed_files(target: Target, place: Place) -> list[FileEdits]:
    from openclaw_oauthrouter.edits.edit import PutJson

    model = {
        "name": target.model,
        "display_name": f"{LABEL} {target.model}",
        "max_tokens": target.window,
        "max_output_tokens": MOST_OUTPUT,
        "capabilities": {"tools": True, "images": True, "parallel_tool_calls": True, "prompt_cache_key": False},
    }
    value = {"api_url": target.openai, "available_models": [model]}
    path = place.folder("XDG_CONFIG_HOME", ".config") / "zed" / "settings.json"
    return [FileEdits(path, (PutJson(path=("language_models", "openai_compatible", LABEL), value=value),))]


ZED = Client(
    "zed",
    "Zed",
    ("zed", "zeditor"),
    lambda target: {"OAUTHROUTER_API_KEY": target.token},
    files=_zed_files,
    afterwards=lambda _: (
        "Zed keeps keys in the system's keychain: in its agent panel's settings give the local token (openclaw-oauthrouter token --show) "
        f"to {LABEL}, or start it as: openclaw-oauthrouter run zed"
    ),
)

# ------------------------------------------------------------------ explained only


def _cursor_guide(target: Target) -> str:
    return f"""\
Cursor has no file for this; in its settings, under Models:
  1. switch "Override OpenAI Base URL" on and give it an address of this gateway
  2. give the local token (openclaw-oauthrouter token --show) as OpenAI API key
  3. add the model {target.model} and choose it
Cursor's own servers send the requests, so {target.openai} cannot be reached by them: an address with TLS that the
internet reaches is needed (docs/deploy.md), with a token of its own (server.client_keys) and a budget.
Its tab completion and background agents do not use this model."""


def _in_container(target: Target) -> str:
    return target.openai.replace("127.0.0.1", CONTAINER_HOST).replace("localhost", CONTAINER_HOST)


_NOT_LOOPBACK = """\
A container reaches this machine at host.docker.internal, and only if the gateway listens beyond loopback:
server.listen_host, with server.allowed_hosts = ["host.docker.internal"] (docs/deploy.md)."""


def _open_webui_guide(target: Target) -> str:
    return f"""\
Open WebUI reads its first connection from the environment:
  OPENAI_API_BASE_URL={target.openai}
  OPENAI_API_KEY=$(openclaw-oauthrouter token)
Started from this shell: openclaw-oauthrouter run open-webui serve
In a container: docker run -e OPENAI_API_BASE_URL={_in_container(target)} -e OPENAI_API_KEY="$(openclaw-oauthrouter token)" …
{_NOT_LOOPBACK}
One that has been started before keeps its connections in its database: Admin Settings, Connections, add the same there."""


def _librechat_guide(target: Target) -> str:
    return f"""\
Put this into librechat.yaml, and OAUTHROUTER_LOCAL_TOKEN=$(openclaw-oauthrouter token) into its .env:
endpoints:
  custom:
    - name: {as_json(LABEL)}
      apiKey: "${{OAUTHROUTER_LOCAL_TOKEN}}"
      baseURL: {as_json(_in_container(target))}
      models: {{default: [{as_json(target.model)}], fetch: true}}
      titleConvo: true
      titleModel: {as_json(target.model)}
{_NOT_LOOPBACK}"""


CURSOR = Client("cursor", "Cursor", guide=_cursor_guide)
OPEN_WEBUI = Client(
    "open-webui",
    "Open WebUI",
    ("open-webui",),
    lambda target: {"OPENAI_API_BASE_URL": target.openai, "OPENAI_API_KEY": target.token},
    guide=_open_webui_guide,
)
LIBRECHAT = Client("librechat", "LibreChat", guide=_librechat_guide)

APPLICATIONS = (ZED, CURSOR, LLM, OPEN_WEBUI, LIBRECHAT)
