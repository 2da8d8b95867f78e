"""What bytes from outside may meet, and which errors may come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import orjson

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import ResponseFailed, ResponseFinished
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ResponseFold
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.profiles import parse_store
from openclaw_oauthrouter.dialects.plugin import oauthrouter_register_dialects
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError
from openclaw_oauthrouter.health.windows import read_windows
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.pipeline import parse_body
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

NOW = 1_700_000_000.0
DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in oauthrouter_register_dialects()}
CARD = ModelInfo("anthropic", "claude-haiku-4-5")
ASKED = {name: ChatRequest(name, "auto", ()) for name in DIALECTS}

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
        for name, other in DIALECTS.items():
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
        for other in DIALECTS.values():
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


def _fold(dialect: Dialect, events: list[object]) -> None:
    if not isinstance(events[-1] if events else None, ResponseFinished):
        return
    fold = ResponseFold()
    for event in events:
        fold.receive(event)  # type: ignore[arg-type]
    for name, other in DIALECTS.items():
        orjson.dumps(other.encode_response(fold.result(), ASKED[name], "auto"))


def _object(data: bytes) -> dict[str, object]:
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


TARGETS: Mapping[str, Target] = {
    **{f"{name}:request": fuzz_request(dialect) for name, dialect in DIALECTS.items()},
    **{f"{name}:stream": fuzz_stream(dialect) for name, dialect in DIALECTS.items()},
    **{f"{name}:answer": fuzz_answer(dialect) for name, dialect in DIALECTS.items()},
    **{f"{name}:refusal": fuzz_refusal(dialect) for name, dialect in DIALECTS.items()},
    "profiles": fuzz_profiles,
    "secret": fuzz_secret,
    "headers": fuzz_headers,
}
