"""Published prices: those of the installed package, or a newer file that the user has put in the state folder."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from openclaw_oauthrouter.config.private_file import write_private
from openclaw_oauthrouter.errors import ConfigurationError

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

PRICE_FILE = "prices.json"

_MOST_BYTES = 64 << 20
_log = logging.getLogger(__name__)


class PublishedTables:
    """The published prices, read once; reading them takes a moment, so a gateway does it beside its start.

    :param path: the user's file, which need not exist
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._snapshot: DataSnapshot | None = None

    def snapshot(self) -> DataSnapshot:
        """The prices; a file that cannot be read is logged, and the package's are used."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = self._read()
            return self._snapshot

    def _read(self) -> DataSnapshot:
        from genai_prices.data_snapshot import get_snapshot

        if not self._path.exists():
            return get_snapshot()
        try:
            return parse_prices(self._path.read_bytes())
        except (ConfigurationError, OSError) as error:
            _log.error("%s: %s; the prices of the installed package are used", self._path, error)
            return get_snapshot()


def parse_prices(data: bytes) -> DataSnapshot:
    """Read the format in which genai-prices publishes its data (``prices/new_data/v2/data.json`` of its repository).

    :raises ConfigurationError: it is something else
    """
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import _providers_from_raw

    if len(data) > _MOST_BYTES:
        raise ConfigurationError(f"it has more than {_MOST_BYTES >> 20} MB")
    try:
        raw: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"it is not JSON ({error})") from error
    if not isinstance(raw, list) or not raw:
        raise ConfigurationError("it is not a list of providers, as data.json of genai-prices is")
    try:
        providers = _providers_from_raw(raw)
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise ConfigurationError(f"it is not data of genai-prices: {str(error).splitlines()[0]}") from error
    return DataSnapshot(providers, from_auto_update=True)


def install_prices(source: Path, home: Path) -> int:
    """Put a file of prices into the state folder, where gateways take it up at their next start.

    :return: how many models it has prices of
    :raises ConfigurationError: the file cannot be read, or is something else
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{source}: {error.strerror or error}") from error
    try:
        snapshot = parse_prices(data)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: {error}") from error
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(home / PRICE_FILE, data)
    return sum(len(provider.models) for provider in snapshot.providers)
