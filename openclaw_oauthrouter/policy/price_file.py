"""Published prices: those of the installed package, or a newer file that the user has put in the state folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from openclaw_oauthrouter.catalog.published_prices import PublishedModel, find_published
from openclaw_oauthrouter.config.private_file import read_plain, write_private
from openclaw_oauthrouter.errors import ConfigurationError

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

PRICE_FILE = "prices.json"
TABLE_FILE = "published-prices.json"

_MOST_BYTES = 64 << 20
_log = logging.getLogger(__name__)


class PriceTable(msgspec.Struct, frozen=True):
    """What is published of many models, as a file.

    :ivar of: the edition it was made from
    :ivar models: by ``vendor/id``; ``null`` where no price is published
    """

    of: str
    models: dict[str, msgspec.Raw]


class PublishedTables:
    """The published prices. Those of the catalog's models are read from a table: the library they come from is large and slow to load.

    The table of one edition comes with the package (``catalog/published_prices.json``); of any other edition, the user's own file among
    them, a gateway makes one beside its first start and keeps it in the state folder.

    :param path: the user's file, which need not exist
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = path.with_name(TABLE_FILE)
        self._lock = threading.Lock()
        self._snapshot: DataSnapshot | None = None
        self._models: Mapping[str, msgspec.Raw] | None = None

    def find(self, vendor: str, model: str, url: str | None) -> PublishedModel | None:
        """What is published of a model; ``None`` when it has no price.

        :param vendor: the provider's name, tried first
        :param url: the provider's address, tried next
        """
        raw = self._table().get(f"{vendor}/{model}")
        if raw is not None:
            found = _READ_MODEL.decode(raw)
            if found is not None or url is None:
                return found
        return find_published(vendor, model, url, self.snapshot())

    def prepare(self) -> None:
        """See that there is a table of the edition in force, for this gateway and for the next one."""
        if self._table():
            return
        models = table_of(_shipped().models, self.snapshot())
        try:
            write_private(self._kept, msgspec.json.encode(PriceTable(self._edition(), models)))
        except OSError as error:
            _log.debug("the table of prices cannot be kept: %s", error)
        self._models = models

    def snapshot(self) -> DataSnapshot:
        """All prices, by the library; a file that cannot be read is logged, and the package's are used."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = self._read()
            return self._snapshot

    def _table(self) -> Mapping[str, msgspec.Raw]:
        if self._models is None:
            edition = self._edition()
            tables = (table for table in (_shipped(), _kept(self._kept)) if table is not None and table.of == edition)
            self._models = next((table.models for table in tables), {})
        return self._models

    def _edition(self) -> str:
        try:
            status = self._path.stat()
        except OSError:
            return package_edition()
        return f"{self._path.name} {status.st_size} {status.st_mtime_ns}"

    def _read(self) -> DataSnapshot:
        from genai_prices.data_snapshot import get_snapshot

        if not self._path.exists():
            return get_snapshot()
        try:
            return parse_prices(read_plain(self._path))
        except (ConfigurationError, OSError) as error:
            _log.error("%s: %s; the prices of the installed package are used", self._path, error)
            return get_snapshot()


_READ_MODEL: msgspec.json.Decoder[PublishedModel | None] = msgspec.json.Decoder(PublishedModel | None)


def package_edition() -> str:
    """The installed edition of the library, by the name of its folder: ``importlib.metadata`` takes longer than reading the table."""
    return f"genai-prices {_version_beside(find_spec('genai_prices'))}"


def _version_beside(package: ModuleSpec | None) -> str:
    if package is not None and package.origin:
        found = [folder.stem for folder in Path(package.origin).parents[1].glob("genai_prices-*.dist-info")]
        if len(found) == 1:
            return found[0].removeprefix("genai_prices-")
    from importlib.metadata import version

    return version("genai-prices")


def table_of(names: Iterable[str], prices: DataSnapshot | None = None) -> dict[str, msgspec.Raw]:
    """What the library says of models, each ``vendor/id``."""
    found = {}
    for name in names:
        vendor, _, model = name.partition("/")
        found[name] = msgspec.Raw(msgspec.json.encode(find_published(vendor, model, None, prices)))
    return found


def _shipped() -> PriceTable:
    data = resources.files("openclaw_oauthrouter.catalog").joinpath("published_prices.json").read_bytes()
    return msgspec.json.decode(data, type=PriceTable)


def _kept(path: Path) -> PriceTable | None:
    try:
        return msgspec.json.decode(read_plain(path), type=PriceTable)
    except (OSError, msgspec.MsgspecError):
        return None


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
