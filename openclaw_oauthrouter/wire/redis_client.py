"""A client for the Redis that ``state_url`` names, as it is deployed for real: TLS, ACL users, sentinels, a cluster; nothing is sent here."""

from __future__ import annotations

import inspect
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from openclaw_oauthrouter.errors import ConfigurationError

SCHEMES = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
"""``rediss`` is TLS; the addresses of sentinels and of a cluster's nodes stand one behind the other, with commas."""

_PORTS = {"sentinel": 26_379, "cluster": 6_379}


def connect_redis(url: str, *, seconds: float = 5.0, text: bool = False) -> Any:
    """A ``redis.asyncio`` client, or one of a cluster.

    ``redis://user:password@host:6379/0``, ``rediss://…?ssl_ca_certs=/path/ca.pem``, ``unix:///run/redis.sock?db=0``,
    ``redis+sentinel://user:password@one:26379,two:26379/mymaster/0``, ``redis+cluster://user:password@one:6379,two:6379``.

    :param seconds: to connect, and for each answer
    :param text: answers are strings, not bytes
    :raises ConfigurationError: the extra is not installed, or the address is none
    """
    try:
        from redis import asyncio as redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as RedisConnectionError
    except ImportError as missing:
        raise ConfigurationError(
            "stateUrl names a Redis server, but the extra is not installed: pip install 'openclaw-oauthrouter[redis]'"
        ) from missing
    try:
        parts = urlsplit(url)
        kind = parts.scheme.partition("+")[2]
        if parts.scheme not in SCHEMES:
            raise ValueError(f"its scheme is none of {', '.join(SCHEMES)}")
        options: dict[str, Any] = {"decode_responses": text, "socket_connect_timeout": seconds, "socket_timeout": seconds}
        # A connection that Redis closed is noticed only when it is used again; one that hangs is not tried twice.
        retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        if kind == "sentinel":
            return _by_sentinels(parts, options | _brief(redis.Connection) | {"retry": retry})
        if kind == "cluster":
            from redis.asyncio.cluster import ClusterNode, RedisCluster

            nodes: Any = [ClusterNode(host, port) for host, port in _addresses(parts, kind)]
            return RedisCluster(startup_nodes=nodes, **options, **_identity(parts), **_tls(parts))
        return redis.from_url(url, retry=retry, **options, **_brief(redis.Connection))
    except ValueError as error:
        raise ConfigurationError(f"stateUrl is not a Redis address: {error}") from error


def _brief(connection: type) -> dict[str, Any]:
    """What keeps a new connection from asking the server things that nobody wants to know: each question is a way there and back."""
    known = inspect.signature(connection).parameters
    names = ("driver_info",) if "driver_info" in known else ("lib_name", "lib_version")
    return {"protocol": 2, **{name: None for name in names if name in known}}


def _by_sentinels(parts: SplitResult, options: dict[str, Any]) -> Any:
    from redis.asyncio import sentinel

    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("the name of the service is missing: redis+sentinel://host:26379/mymaster")
    asked = {name: options[name] for name in ("socket_connect_timeout", "socket_timeout")}
    make: Any = sentinel.Sentinel
    manager = make(_addresses(parts, "sentinel"), sentinel_kwargs={**asked, **_tls(parts)})
    client = manager.master_for(service, db=int(database or 0), **options, **_identity(parts), **_tls(parts))
    close = client.aclose

    async def close_all() -> None:
        """redis-py leaves open what the client got through its sentinels, and the sentinels themselves."""
        await close()
        await client.connection_pool.disconnect()
        for each in manager.sentinels:
            await each.aclose()

    client.aclose = close_all
    return client


def _addresses(parts: SplitResult, kind: str) -> list[tuple[str, int]]:
    found = []
    for address in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{address}")
        if not one.hostname:
            raise ValueError("it names no host")
        found.append((one.hostname, one.port or _PORTS[kind]))
    return found


def _identity(parts: SplitResult) -> dict[str, Any]:
    user, mark, password = parts.netloc.rpartition("@")[0].partition(":")
    named = {"username": unquote(user), "password": unquote(password)} if mark else {"password": unquote(user)}
    return {name: value for name, value in named.items() if value}


def _tls(parts: SplitResult) -> dict[str, Any]:
    if not parts.scheme.startswith("rediss"):
        return {}
    return {"ssl": True, **{name: value for name, value in parse_qsl(parts.query) if name.startswith("ssl_")}}
