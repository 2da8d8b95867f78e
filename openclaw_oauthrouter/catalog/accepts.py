"""What each family of models takes in a request, found by the model's id: the table is ``accepts.toml``.

Of a Claude model newer than the table the strictest is assumed, because every generation so far has removed options; of any other unknown
model, nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo, ThinkingOff
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import read_table

MESSAGES = "anthropic_messages"
CHAT = "openai_chat_completions"
CODEX = "openai-codex"
OPENAI = "openai"
OPENROUTER = "openrouter"

_WITHOUT_BUDGET = frozenset({"openai_chat_completions", "openai_responses"})
"""Dialects in which reasoning cannot be asked for by a number of tokens."""

_CHAT_CALL_ID = 40
"""Longest id of a call that OpenAI takes in Chat Completions; in Responses it is 64."""
_OPENAI_TOOLS = 128
"""Tools that OpenAI takes in one request (400 "array too long")."""
_CHAT_USER = 64
"""``user`` as the strictest of the endpoints that speak Chat Completions takes it; others stop at 128."""

_CLAUDE_WRITES = 128_000

# A date behind the version has eight digits, a minor version one or two.
_CLAUDE_ID = lazily(r"claude-[a-z]+-\d+(?:-\d{1,2}(?!\d))?")


@value(frozen=True, slots=True)
class AcceptsTable:
    """``accepts.toml``.

    :ivar profiles: by name
    :ivar claude: Claude's family and version -> what it takes
    :ivar claude_output: the most that some of them write
    :ivar patterns: of all others; the first that an id begins with counts
    """

    profiles: Mapping[str, Accepts]
    claude: Mapping[str, Accepts]
    claude_output: Mapping[str, int]
    patterns: tuple[tuple[re.Pattern[str], Accepts], ...]


@lru_cache(maxsize=1)
def accepts_table() -> AcceptsTable:
    """Read once."""
    said = read_table("accepts.toml")
    profiles: dict[str, Accepts] = {}
    for name, row in said["profiles"].items():
        profiles[name] = _profile(row, profiles)
    return AcceptsTable(
        profiles,
        {model: profiles[name] for model, name in said["claude"].items()},
        said["claude_output"],
        tuple((lazily(row["ids"]), profiles[row["profile"]]) for row in said["pattern"]),
    )


def _profile(row: Mapping[str, Any], known: Mapping[str, Accepts]) -> Accepts:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items() if name != "like"
    }
    return replace(known[row["like"]] if "like" in row else Accepts(), **fields)


def with_accepts(info: ModelInfo, dialect: str) -> ModelInfo:
    """The same facts, with what the model takes filled in where the catalog does not say.

    :param dialect: the one the model is asked in
    """
    return info if info.accepts is not None else _filled_in(info, dialect)


@lru_cache(maxsize=1024)
def _with_accepts(info: ModelInfo, dialect: str) -> ModelInfo:
    limit = info.max_output_tokens or (_claude_output(info.id) if dialect == MESSAGES else None)
    return replace(info, accepts=_with_efforts(accepts_of(info.provider, info.id, dialect), info), max_output_tokens=limit)


# The same objects come with every request, and comparing one by its two dozen fields takes as long as fitting a request.
_filled_in = by_identity(1024)(_with_accepts)


def _with_efforts(accepts: Accepts, info: ModelInfo) -> Accepts:
    """The published efforts of this very model count more than those of its family."""
    if not info.efforts or not accepts.efforts:
        return accepts
    told = info.efforts if info.provider != CODEX else tuple(name for name in info.efforts if name not in ("none", "minimal"))
    # Whoever knew "none" and knows it no more always reasons.
    off: ThinkingOff = "never" if "none" in accepts.efforts and "none" not in told else accepts.thinking_off
    return replace(accepts, efforts=told, thinking_off=off)


def accepts_of(provider: str, model: str, dialect: str) -> Accepts:
    """What a model takes.

    :param provider: the configured name
    :param model: the provider's own id, perhaps with its maker's name in front (``anthropic/claude-opus-4.6``)
    :param dialect: the one it is asked in
    """
    accepts = _accepts_of(provider, model, dialect)
    # Only OpenAI's own endpoint is known to take breakpoints, and to count the tools.
    if provider == OPENAI:
        accepts = replace(accepts, max_tools=_OPENAI_TOOLS)
    elif accepts.cache_breakpoints:
        accepts = replace(accepts, cache_breakpoints=False)
    if dialect != CHAT:
        return accepts
    # Chat Completions has no tool for it.
    searches = "plugins" if provider == OPENROUTER else None if accepts.web_search == "tool" else accepts.web_search
    limit = _CHAT_CALL_ID if accepts.call_id_limit is not None else None
    return replace(accepts, user_limit=accepts.user_limit or _CHAT_USER, call_id_limit=limit, web_search=searches)


def _accepts_of(provider: str, model: str, dialect: str) -> Accepts:
    table, name = accepts_table(), _bare(model)
    if name.startswith("claude-"):
        match = _CLAUDE_ID.match(name)
        newest = table.profiles["claude-newest"]
        return table.claude.get(match[0], newest) if match else newest
    if dialect == MESSAGES:
        return table.profiles["messages-of-others"]
    found = next((accepts for pattern, accepts in table.patterns if pattern.match(name)), None)
    if provider == CODEX:
        return _at_codex(found or replace(table.profiles["codex-strong"], known=False))
    if found is not None:
        return found
    if provider == "openai":
        return table.profiles["unknown-openai"]
    return table.profiles["unknown"] if dialect in _WITHOUT_BUDGET else Accepts(known=False)


def _at_codex(accepts: Accepts) -> Accepts:
    """The ChatGPT backend takes no efforts below ``low``, no sampling, and bounds every id."""
    efforts = tuple(effort for effort in accepts.efforts or () if effort not in ("none", "minimal"))
    return replace(
        accepts,
        efforts=efforts,
        thinking_off="never",
        temperature=False,
        top_p=False,
        penalties=False,
        stop=False,
        item_id_limit=64,
        call_id_limit=64,
        service_tiers=("default", "priority", "auto"),
        system_role=False,
    )


def _claude_output(model: str) -> int | None:
    """The most a Claude model of the table writes."""
    table, match = accepts_table(), _CLAUDE_ID.match(_bare(model))
    return table.claude_output.get(match[0], _CLAUDE_WRITES) if match and match[0] in table.claude else None


def _bare(model: str) -> str:
    """An id without its maker's name in front, a Claude version's dots written as dashes."""
    bare = model.rpartition("/")[2].lower()
    return bare.replace(".", "-") if bare.startswith("claude-") else bare
