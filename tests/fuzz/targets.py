"""What bytes from outside may meet, and which errors may come of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import get_args

import orjson

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import ResponseFailed, ResponseFinished
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.refusal_table import Blame
from openclaw_oauthrouter.canonical.refusals import Statement, blame_of, told_day, words_of_page
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ResponseFold
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.profiles import parse_store
from openclaw_oauthrouter.dialects.plugin import oauthrouter_register_dialects
from openclaw_oauthrouter.errors import ConfigurationError, OAuthRouterError, UpstreamError
from openclaw_oauthrouter.health.windows import read_windows
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.policy.client_auth import ClientKeys
from openclaw_oauthrouter.proxy.gate import Gate
from openclaw_oauthrouter.upstream.proxies import Proxies, parse_proxy
from openclaw_oauthrouter.wire.encodings import Unpacker, UnpackingError, content_coding
from openclaw_oauthrouter.wire.redis_client import connect_redis
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

NOW = 1_700_000_000.0
DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in oauthrouter_register_dialects()}
SPOKEN = {name: dialect for name, dialect in DIALECTS.items() if hasattr(dialect, "decode_request")}
"""Those that clients speak too."""

CARD = ModelInfo("anthropic", "claude-haiku-4-5")
ASKED = {name: ChatRequest(name, "auto", ()) for name in DIALECTS}

_LIMIT = 1 << 20


class _NoSessions:
    def check(self, session: str) -> bool:
        return False


_GATE = Gate(ClientKeys("local-test-token", {}, ()), _NoSessions(), frozenset(), frozenset(("https://page.example",)))

Target = Callable[[bytes], None]


def fuzz_request(dialect: Dialect) -> Target:
    """A client's body, decoded and written for every provider."""

    def target(data: bytes) -> None:
        try:
            request = dialect.decode_request(parse_body(data), {})
        except OAuthRouterError:
            return
        for other in DIALECTS.values():
            try:
                orjson.dumps(other.encode_request(request, CARD).body)
            except OAuthRouterError:
                continue

    return target


def fuzz_stream(dialect: Dialect) -> Target:
    """An upstream's stream in two reads, written for every client: it ends exactly once, or says that it did not."""

    def target(data: bytes) -> None:
        decoder = dialect.stream_decoder()
        half = len(data) // 2
        frames = [decoder.receive(data[:half]), decoder.receive(data[half:]), decoder.finish()]
        ends = [event for frame in frames for event in frame.events if isinstance(event, (ResponseFailed, ResponseFinished))]
        if len(ends) != 1:
            raise AssertionError(f"{len(ends)} ends")
        for name, other in SPOKEN.items():
            encoder = other.stream_encoder(ASKED[name], "auto")
            for frame in frames:
                encoder.send(frame)
        _fold(dialect, [event for frame in frames for event in frame.events])

    return target


def fuzz_answer(dialect: Dialect) -> Target:
    """An upstream's whole answer; what ``upstream.sending`` catches may be raised."""

    def target(data: bytes) -> None:
        try:
            events = list(dialect.decode_response(_object(data)))
        except (UpstreamError, ValueError, KeyError, TypeError, AttributeError):
            return
        _fold(dialect, events)

    return target


def fuzz_refusal(dialect: Dialect) -> Target:
    """An upstream's refusal can be anything, and is always an error to show."""

    def target(data: bytes) -> None:
        status = 400 + (data[0] if data else 0)
        error = dialect.decode_error(status, {"retry-after": data[:20].decode("latin-1")}, data)
        for other in SPOKEN.values():
            orjson.dumps(other.encode_error(error, "id"))

    return target


def fuzz_profiles(data: bytes) -> None:
    """A credential file as others may have left it."""
    with suppress(ValueError):
        parse_store(data)


def fuzz_secret(data: bytes) -> None:
    """Text that somebody pasted as a secret."""
    text = data.decode("utf-8", "replace")
    secret_text.problem_of(secret_text.clean(text))
    jwt.account_id(text)
    jwt.plan(text)
    jwt.expires_at(text)
    if not isinstance(unseal(text), (Opaque, type(None))):
        raise AssertionError("unsealed to something else")


def fuzz_headers(data: bytes) -> None:
    """An upstream's headers, one a line."""
    lines = (line.partition(":") for line in data.decode("latin-1").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    read_windows(headers, NOW)
    wait = parse_retry_after(headers, NOW)
    if wait is not None and not 0 <= wait < float("inf"):
        raise AssertionError(f"a wait of {wait} s")


def fuzz_packed(data: bytes) -> None:
    """A packed body: the first byte chooses its coding, and nothing grows beyond the limit."""
    coding = ("gzip", "deflate", "br", "zstd")[data[0] % 4 if data else 0]
    unpacker = Unpacker(coding, _LIMIT)
    size = 0
    with suppress(UnpackingError):
        for at in range(1, len(data), 100):
            size += sum(map(len, unpacker.feed(data[at : at + 100])))
        unpacker.finish()
    if size > _LIMIT:
        raise AssertionError(f"{size} bytes were unpacked")


def fuzz_configuration(data: bytes) -> None:
    """A configuration file as an editor, a disk or a stranger may have left it."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("config.toml", "config.json"):
            path = Path(folder) / name
            path.write_bytes(data)
            with suppress(ConfigurationError):
                load_settings(path, environ={})


def fuzz_addresses(data: bytes) -> None:
    """Addresses of proxies and of Redis, hosts that go without, and the Host of a request."""
    text = data.decode("utf-8", "replace").replace("\n", "")
    with suppress(ConfigurationError):
        parse_proxy(text, "HTTPS_PROXY")
    with suppress(ConfigurationError):
        connect_redis(text)
    proxies = Proxies({"http": parse_proxy("http://10.9.8.7:1", "HTTP_PROXY")}, text.split(","))
    proxies.before("http", text[:50], 80)
    proxies.before("http", "provider.example", 80)
    with suppress(OAuthRouterError):
        _GATE.check_source({"host": text, "origin": text, "cookie": text})
    _GATE.has_session({"host": text, "cookie": f"oauthrouter_session={text}"})


def fuzz_words(data: bytes) -> None:
    """Whose fault a refusal is; any words end in one of the blames, and soon."""
    text = data.decode("utf-8", "replace")
    for status in (None, 200, 400, 401, 403, 404, 429, 500, 503):
        if blame_of(Statement(status, text, type=text[:20], code=text[20:40], param=text[40:60])) not in get_args(Blame):
            raise AssertionError("an unknown blame")
    told_day(text, NOW)
    words_of_page(502, data)
    content_header = text[:80]
    with suppress(UnpackingError):
        content_coding(content_header)


def _fold(dialect: Dialect, events: list[object]) -> None:
    if not isinstance(events[-1] if events else None, ResponseFinished):
        return
    fold = ResponseFold()
    for event in events:
        fold.receive(event)  # type: ignore[arg-type]
    for name, other in SPOKEN.items():
        orjson.dumps(other.encode_response(fold.result(), ASKED[name], "auto"))


def _object(data: bytes) -> dict[str, object]:
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


TARGETS: Mapping[str, Target] = {
    **{f"{name}:request": fuzz_request(dialect) for name, dialect in SPOKEN.items()},
    **{f"{name}:stream": fuzz_stream(dialect) for name, dialect in DIALECTS.items()},
    **{f"{name}:answer": fuzz_answer(dialect) for name, dialect in DIALECTS.items()},
    **{f"{name}:refusal": fuzz_refusal(dialect) for name, dialect in DIALECTS.items()},
    "profiles": fuzz_profiles,
    "secret": fuzz_secret,
    "headers": fuzz_headers,
    "packed": fuzz_packed,
    "configuration": fuzz_configuration,
    "addresses": fuzz_addresses,
    "words": fuzz_words,
}
