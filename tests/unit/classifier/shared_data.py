"""Where the measured material lies that some tests read; they skip without it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("OAUTHROUTER_SHARED") or Path(__file__).resolve().parents[3].parent / "shared")


def shared_json(*path: str) -> Any:
    """A JSON file of the shared material; skips the test or module when it is not there."""
    file = SHARED.joinpath(*path)
    if not file.exists():
        pytest.skip(f"needs {'/'.join(path)}", allow_module_level=True)
    return json.loads(file.read_text("utf-8"))
