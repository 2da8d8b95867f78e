"""The process's environment; the one place that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping


def process_environment() -> Mapping[str, str]:
    """A snapshot of the environment variables."""
    return dict(os.environ)
