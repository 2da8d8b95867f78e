"""Which proxy of the user's stands before an address: what the environment names, or the system, but never before one's own machines."""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import ConfigurationError

_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_SAME_AS = {"socks": "socks5", "socks5": "socks5", "socks5h": "socks5h", "http": "http", "https": "https"}
_OWN_NAMES = ("localhost", "host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal")
_OWN_ENDS = (".localhost", ".local", ".home.arpa")


@value(frozen=True, slots=True)
class Proxy:
    """One proxy.

    :ivar url: with name and password, for those who need it whole
    :ivar authorization: value of ``proxy-authorization``; ``None`` when it wants none
    :ivar shown: for people, without a password
    """

    scheme: str
    host: str
    port: int
    url: str
    authorization: bytes | None
    shown: str

    @property
    def is_plain(self) -> bool:
        """Whether it is spoken to in HTTP without TLS, as nearly all are; the others are left to httpx."""
        return self.scheme == "http"


class Proxies:
    """The proxies for each scheme, and the addresses that go without.

    :param by_scheme: ``http`` and ``https`` of the address asked for
    :param excepted: entries of NO_PROXY
    :param bypassed: what the system says of a host besides
    """

    def __init__(
        self, by_scheme: Mapping[str, Proxy], excepted: Sequence[str] = (), bypassed: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.by_scheme = dict(by_scheme)
        self._excepted = [entry for entry in excepted if entry]
        self._bypassed = bypassed
        self._known: dict[tuple[str, str, int], Proxy | None] = {}

    @classmethod
    def read(cls, named: Mapping[str, str], bypassed: Callable[[str], bool]) -> Proxies:
        """Read what ``urllib.request.getproxies`` found: ``http``, ``https``, ``all`` and ``no``.

        :raises ConfigurationError: a proxy that cannot be used
        """
        found = {}
        for scheme in ("http", "https"):
            variable = scheme if named.get(scheme) else "all"
            if named.get(variable):
                found[scheme] = parse_proxy(named[variable], f"{variable.upper()}_PROXY")
        return cls(found, re.split(r"[\s,;]+", named.get("no", "")), bypassed)

    def before(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy before an address; ``None`` for those that are reached directly."""
        key = (scheme, host, port)
        if key not in self._known:
            proxy = self.by_scheme.get(scheme)
            direct = proxy is None or is_own(host) or any(_matches(entry, host, port) for entry in self._excepted)
            # Asked once a host: some systems look names up to answer. There are only as many hosts as providers.
            self._known[key] = None if direct or self._bypassed(host) else proxy
        return self._known[key]


def parse_proxy(text: str, variable: str) -> Proxy:
    """Read the address of a proxy; without a scheme it is an HTTP proxy, as curl takes it.

    :raises ConfigurationError: naming the variable
    """
    try:
        text = text.strip()
        parts = urlsplit(text if "://" in text else f"http://{text}")
        scheme, host, port = _SAME_AS[parts.scheme.lower()], parts.hostname, parts.port
        if not host:
            raise ValueError("it names no host")
    except (ValueError, KeyError) as error:
        reason = f"its scheme is none of {', '.join(_SAME_AS)}" if isinstance(error, KeyError) else str(error)
        raise ConfigurationError(
            f"the proxy that the environment names cannot be used ({reason}); "
            f"correct {variable}, or set upstream.trust_env to false to send without it"
        ) from None
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(pair.encode())
    port = port or _PORTS[scheme]
    shown = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    userinfo = parts.netloc.rpartition("@")[0]
    url = shown.replace("://", f"://{userinfo}@") if userinfo else shown
    return Proxy(scheme, host, port, url, authorization, shown)


@lru_cache(maxsize=256)
def is_own(host: str) -> bool:
    """Whether a host is this machine or one of a private network, which no proxy leads to."""
    name = host.lower().strip("[]").rstrip(".")
    if name in _OWN_NAMES or name.endswith(_OWN_ENDS):
        return True
    address = _address(name)
    return address is not None and not address.is_multicast and not address.is_global


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is in digits, in any spelling that a system takes: ``127.1``, ``0x7f000001``, ``::ffff:127.0.0.1``."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(name)) if _NUMERIC.fullmatch(name) else None
        except OSError:
            return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY speaks of an address: ``*``, a name and all below it, an address, a CIDR block, each with a port or without."""
    if entry == "*":
        return True
    name, wanted = _split_port(entry.lower())
    if wanted is not None and wanted != port:
        return False
    host = host.lower().strip("[]").rstrip(".")
    address = _address(host)
    try:
        return address in ipaddress.ip_network(name, strict=False) if address is not None else _is_below(host, name)
    except ValueError:
        return _is_below(host, name)


def _is_below(host: str, name: str) -> bool:
    bare = name.lstrip("*").strip(".")
    return bool(bare) and (host == bare or host.endswith(f".{bare}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, int(rest[1:]) if rest[1:].isdigit() else None
    name, mark, port = entry.rpartition(":")
    if mark and port.isdigit() and ":" not in name:
        return name, int(port)
    return entry, None
