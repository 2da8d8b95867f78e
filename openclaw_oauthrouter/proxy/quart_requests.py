"""What the routes that Quart serves read of a request: body within its limit, headers in lower case, the client's dialect."""

from __future__ import annotations

from quart import current_app, request

from openclaw_oauthrouter.proxy.asgi import unpack, unpacker_for


async def request_body() -> bytes:
    """The body, unpacked.

    :raises RequestTooLargeError: it is, or unpacks to, more than the limit
    :raises InvalidRequestError: it is not what its Content-Encoding says
    """
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    unpacker = unpacker_for(", ".join(request.headers.getlist("content-encoding")), limit)
    data = await request.get_data(as_text=False)
    body = data if isinstance(data, bytes) else data.encode()
    return body if unpacker is None else await unpack(unpacker, body, limit)


def request_headers() -> dict[str, str]:
    """All headers, names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}


def speaks_messages() -> bool:
    """Whether the present request comes from a client of Anthropic's API."""
    return "anthropic-version" in request.headers
