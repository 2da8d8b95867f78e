"""Recorded answers of real providers; they lie beside the repository, and tests that read them skip without them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("OAUTHROUTER_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")


def recordings(dialect: str, suffix: str) -> list[Any]:
    """Parameters for ``pytest.mark.parametrize``: every recording of a dialect (``openai-chat``, …), named by its file.

    :param suffix: ``.sse``, ``.request.json`` or ``.exchange.json``
    :return: paths; one skipped parameter if there are none
    """
    found = sorted((SHARED / "recordings" / dialect).glob(f"*{suffix}"))
    if not found:
        return [pytest.param(Path(), id="none", marks=pytest.mark.skip(reason=f"needs recordings/{dialect}"))]
    return [pytest.param(path, id=path.name.removesuffix(suffix)) for path in found]


def recorded_body(message: dict[str, Any]) -> Any:
    """The body of a recorded request or response."""
    body = message.get("body", message)
    return json.loads(body) if isinstance(body, str) else body
