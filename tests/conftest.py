"""Every test meets the same environment: nothing of the gateways, keys and settings of the machine it runs on."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sqlite3
import ssl
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from httpx import create_ssl_context
from hypothesis import HealthCheck, settings

from openclaw_oauthrouter import plugins
from openclaw_oauthrouter.catalog.presets import presets
from tests.support.databases import WatchedConnection

_OURS = ("OAUTHROUTER_E2E_", "OAUTHROUTER_SHARED")
_FOREIGN = ("OAUTHROUTER_", "OPENCLAW_", "CODEX_", "CLAUDE_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_")


_MEMORY = Path("/dev/shm")
_MEMORY_BYTES = 2 << 30

# How long an example takes says how busy the machine is.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", _PATIENT, max_examples=50)
settings.register_profile("thorough", _PATIENT, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def pytest_configure() -> None:
    """A place and signals that do not depend on how the tests were started."""
    # A shell has what it starts in the background ignore Ctrl-C, and so would every program that a test interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Each of some thousand gateways makes a ledger that it syncs to its disk: in memory that takes no time.
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Everything in the browser's folder is end to end: without those its pages and Playwright need not be read by every worker."""
    skipped = config.option.markexpr == "not e2e" and collection_path == Path(__file__).parent / "browser"
    return True if skipped else None


def pytest_collection() -> None:
    """Nothing that is collected becomes garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What some ten thousand tests were made of stays until the end: the garbage collector need not look through it."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _what_never_changes_is_read_once() -> Iterator[None]:
    """Reading some hundred certificates for each client, and all distributions for each gateway, would be half of the time."""

    @cache
    def known(trust_env: bool, *_: str | None) -> ssl.SSLContext:
        return create_ssl_context(trust_env=trust_env)

    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is not True or cert is not None:
            return create_ssl_context(verify, cert, trust_env)
        return known(trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", shared)
        patch.setattr(plugins, "entry_points_of_others", cache(plugins.entry_points_of_others))
        yield


@pytest.fixture(scope="session", autouse=True)
def _databases_are_closed() -> Iterator[None]:
    """What leaves one open fails, on every Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=WatchedConnection))
        yield


@pytest.fixture(scope="session", autouse=True)
def _machines_environment_is_set_aside(tmp_path_factory: pytest.TempPathFactory) -> None:
    keys = {name for preset in presets().values() for name in preset.variables}
    for name in list(os.environ):
        if not name.startswith(_OURS) and (name.startswith(_FOREIGN) or name in keys):
            del os.environ[name]
    # What pip and npm have fetched stays where it is; tests that build packages use it.
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ.setdefault("PIP_CACHE_DIR", str(caches / "pip"))
    os.environ.setdefault("npm_config_cache", str(Path.home() / ".npm"))
    os.environ["HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _environment_is_left_as_it_was(_machines_environment_is_set_aside: None) -> Iterator[None]:
    before = dict(os.environ)
    yield
    after = dict(os.environ)
    names = (before.keys() | after.keys()) - {"PYTEST_CURRENT_TEST"}
    changed = sorted(name for name in names if before.get(name) != after.get(name))
    for name in changed:
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]
    if changed:
        pytest.fail(f"the test changed the environment of those after it: {', '.join(changed)}")
