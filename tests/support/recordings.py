"""Recorded answers of real providers; they lie beside the repository, and tests that read them skip without them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("OAUTHROUTER_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")


def recordings(dialect: str, suffix: str, fits: Callable[[Path], bool] = Path.exists) -> list[Any]:
    """Parameters for ``pytest.mark.parametrize``: the recordings of a dialect (``openai-chat``, …), named by their files.

    :param suffix: ``.sse``, ``.request.json`` or ``.exchange.json``
    :param fits: which of them the test speaks of; all by default
    :return: paths; one skipped parameter if there are none
    """
    found = [path for path in sorted((SHARED / "recordings" / dialect).glob(f"*{suffix}")) if fits(path)]
    if not found:
        return [pytest.param(Path(), id="none", marks=pytest.mark.skip(reason=f"needs recordings/{dialect}"))]
    return [pytest.param(path, id=path.name.removesuffix(suffix)) for path in found]


def recorded_body(message: dict[str, Any]) -> Any:
    """The body of a recorded request or response."""
    body = message.get("body", message)
    return json.loads(body) if isinstance(body, str) else body


def is_one_answer(path: Path) -> bool:
    """Whether a recorded Messages stream holds one answer, not several after one another."""
    return path.read_bytes().count(b"event: message_start") <= 1


def is_message(path: Path) -> bool:
    """Whether a recorded Messages exchange ended in a message, not in a refusal or a count of tokens."""
    exchange = json.loads(path.read_text("utf-8"))
    return exchange.get("status", 200) == 200 and recorded_body(exchange["response"]).get("type") == "message"
