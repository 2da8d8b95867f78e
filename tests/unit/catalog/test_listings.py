"""Lists of models as providers give them, and as they should not."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.catalog.listings import MAX_BYTES, ListedModel, ListingError, read_details, read_listing

OPENAI = {
    "object": "list",
    "data": [{"id": "gpt-6.2-sol", "object": "model", "created": 1, "owned_by": "openai", "shutdown_date": "2027-04-01"}],
}
ANTHROPIC = {
    "data": [
        {
            "type": "model",
            "id": "claude-haiku-5-5",
            "display_name": "Claude Haiku 5.5",
            "max_input_tokens": 1000000,
            "max_tokens": 128000,
        }
    ],
    "has_more": False,
}
GEMINI = {
    "models": [
        {
            "name": "models/gemini-3.8-flash",
            "displayName": "Gemini 3.8 Flash",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": ["generateContent"],
        },
        {"name": "models/gemini-embedding-2", "supportedGenerationMethods": ["embedContent"]},
    ]
}
CODEX = {
    "models": [
        {
            "slug": "gpt-6.2-sol",
            "display_name": "GPT-6.2-Sol",
            "visibility": "list",
            "context_window": 272000,
            "supported_in_api": True,
        },
        {"slug": "gpt-secret", "visibility": "hide"},
    ]
}
OPENROUTER = {
    "data": [
        {
            "id": "anthropic/claude-haiku-4.5",
            "name": "Anthropic: Claude Haiku 4.5",
            "context_length": 200000,
            "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0.000001", "completion": "0.000005"},
            "top_provider": {"max_completion_tokens": 64000},
            "supported_parameters": ["tools", "max_tokens"],
        },
        {"id": "somebody/painter", "architecture": {"output_modalities": ["image"]}},
    ]
}
OLLAMA = {
    "models": [
        {"name": "qwen3:8b", "model": "qwen3:8b", "size": 5, "details": {"family": "qwen3"}},
        {"name": "nomic-embed-text:latest", "model": "nomic-embed-text:latest"},
    ]
}
LM_STUDIO = {
    "data": [
        {"id": "qwen2.5-vl-7b", "type": "vlm", "max_context_length": 32768, "capabilities": ["tool_use"]},
        {"id": "llama-3.2-1b", "type": "llm", "max_context_length": 8192},
        {"id": "bge-m3", "type": "embeddings", "max_context_length": 8192},
    ]
}
VLLM = {"object": "list", "data": [{"id": "meta-llama/Llama-4", "object": "model", "max_model_len": 131072}]}
GITHUB = [
    {
        "id": "openai/gpt-4.1",
        "name": "OpenAI GPT-4.1",
        "supported_input_modalities": ["text", "image"],
        "supported_output_modalities": ["text"],
        "limits": {"max_input_tokens": 1048576, "max_output_tokens": 32768},
        "capabilities": ["streaming", "tool-calling"],
    }
]


@pytest.mark.parametrize(
    ("tree", "models"),
    [
        (OPENAI, [ListedModel("gpt-6.2-sol", retires=date(2027, 4, 1))]),
        (ANTHROPIC, [ListedModel("claude-haiku-5-5", max_input_tokens=1000000, max_output_tokens=128000, display_name="Claude Haiku 5.5")]),
        (GEMINI, [ListedModel("gemini-3.8-flash", context_window=1048576, max_output_tokens=65536, display_name="Gemini 3.8 Flash")]),
        (CODEX, [ListedModel("gpt-6.2-sol", context_window=272000, display_name="GPT-6.2-Sol")]),
        (
            OPENROUTER,
            [
                ListedModel(
                    "anthropic/claude-haiku-4.5", 200000, None, 64000, images=True, documents=True, audio=False, tools=True, price=Price(1.0, 5.0)
                )
            ],
        ),
        (OLLAMA, [ListedModel("qwen3:8b")]),
        (LM_STUDIO, [ListedModel("qwen2.5-vl-7b", 32768, images=True, tools=True), ListedModel("llama-3.2-1b", 8192, images=False)]),
        (VLLM, [ListedModel("meta-llama/Llama-4", 131072)]),
        (GITHUB, [ListedModel("openai/gpt-4.1", 1048576, None, 32768, images=True, audio=False, tools=True)]),
    ],
    ids=["openai", "anthropic", "gemini", "codex", "openrouter", "ollama", "lm-studio", "vllm", "github"],
)  # fmt: skip
def test_read_listing_understands_every_vendors_shape(tree: Any, models: list[ListedModel]) -> None:
    assert read_listing(orjson.dumps(tree)) == models
    assert [ListedModel.from_json(orjson.loads(orjson.dumps(model.as_json()))) for model in models] == models


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (b"", "not JSON"),
        (b'{"data": "soon"}', "no list"),
        (b"42", "no list"),
        (b'{"data": []}', "empty"),
        (b'{"data": [1, "two", null, {"id": 7}, {"id": ""}, {"id": "a\\u0000b"}]}', "no id"),
        (b'{"data": [{"id": "text-embedding-3-small"}]}', "no chat model"),
        (b"[" + b" " * MAX_BYTES + b"]", "MB"),
        (orjson.dumps({"data": [{"id": f"m{number}"} for number in range(6000)]}), "entries"),
    ],
)
def test_read_listing_says_what_is_wrong(body: bytes, reason: str) -> None:
    with pytest.raises(ListingError, match=reason):
        read_listing(body)


@pytest.mark.parametrize("lie", ["many", -1, 0, True, 1.5, None, [], {}, 10**12])
def test_read_listing_believes_no_window_that_is_none(lie: Any) -> None:
    [model] = read_listing(
        orjson.dumps({"data": [{"id": "x", "context_length": lie, "shutdown_date": lie, "pricing": lie, "architecture": lie}]})
    )
    assert model.context_window is None


def test_read_details_are_ollamas() -> None:
    shown = {
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
        "capabilities": ["completion", "tools"],
    }
    assert read_details(orjson.dumps(shown)) == {
        "context_window": 40960,
        "images": False,
        "documents": False,
        "audio": False,
        "tools": True,
    }
    assert read_details(orjson.dumps({"model_info": {}, "capabilities": ["embedding"]})) is None
    with pytest.raises(ListingError):
        read_details(b"[]")
