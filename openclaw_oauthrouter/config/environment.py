"""The process's environment; the one place that reads it."""

from __future__ import annotations

import os
import os.path
from collections.abc import Mapping

_PLACES = ("OAUTHROUTER_HOME", "OAUTHROUTER_CONFIG")


def process_environment() -> Mapping[str, str]:
    """A snapshot of the environment variables; ``~`` is expanded where one says where our files lie, for no shell may have done so."""
    environ = dict(os.environ)
    return environ | {name: os.path.expanduser(environ[name]) for name in _PLACES if name in environ}
