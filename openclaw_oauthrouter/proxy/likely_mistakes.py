"""What was probably meant by a path that nobody answers on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.patterns import lazily

VERSION = "/v1"
_BASE = f"the base address here is the one that ends in {VERSION}"
_OLLAMA = "of Ollama's own API only the lists of models are answered; choose an OpenAI-compatible server in this client"
_CHAT = f"{VERSION}/chat/completions"

FOREIGN = {
    "/api/chat": (_CHAT, _OLLAMA),
    "/api/generate": (_CHAT, _OLLAMA),
    "/api/embed": (f"{VERSION}/embeddings", _OLLAMA),
    "/api/embeddings": (f"{VERSION}/embeddings", _OLLAMA),
    "/api/ps": ("/api/tags", "models are not loaded here"),
    VERSION: (f"{VERSION}/models", f"{VERSION} is the base address, to which a client adds the rest"),
    "/healthz": ("/health", "that is its name here"),
    "/livez": ("/health", "that is its name here"),
    "/readyz": ("/health", "that is its name here"),
    "/ready": ("/health", "that is its name here"),
    "/v1/health": ("/health", f"without {VERSION}"),
}
"""Paths of other servers, and what stands for them here."""

NEAR = (
    _CHAT,
    f"{VERSION}/messages",
    f"{VERSION}/messages/count_tokens",
    f"{VERSION}/responses",
    f"{VERSION}/models",
    f"{VERSION}/completions",
    f"{VERSION}/embeddings",
    f"{VERSION}/moderations",
    f"{VERSION}/audio/transcriptions",
    f"{VERSION}/audio/speech",
    f"{VERSION}/images/generations",
    f"{VERSION}/images/edits",
    f"{VERSION}/files",
    f"{VERSION}/batches",
    "/health",
)
"""Paths that may have been misspelt."""

_LIKENESS = 0.86
_LONGEST = 200
"""Characters of a path that is compared; a longer one is no misspelling."""

_GEMINI = lazily(r"/v1(?:alpha|beta\d?)?(?:/openai)?/models/[^/]+:\w+")


def likely_path(path: str, is_known: Callable[[str], bool]) -> tuple[str, str] | None:
    """The path that was meant, and how the client came to the other.

    :param is_known: whether something answers on a path
    """
    for meant, why in _candidates(path):
        if meant != path and is_known(meant):
            return meant, why
    return None


def _candidates(path: str) -> Iterator[tuple[str, str]]:
    single = _without_repeated_slashes(path)
    if single != path:
        yield single, "with single slashes; the base address ends without one"
    bare = single.rstrip("/")
    if bare != single:
        yield bare, "without the slash at its end"
    if bare in FOREIGN:
        yield FOREIGN[bare]
    once = bare
    while once.startswith(f"{VERSION}{VERSION}/"):
        once = once.removeprefix(VERSION)
    yield once, f"this client adds {VERSION} to its base address by itself, so give it the address without {VERSION}"
    yield f"{VERSION}{bare}", f"give this client the base address with {VERSION} at its end"
    for repeated in ("/chat/completions", "/messages", "/responses", "/models"):
        if once.endswith(repeated * 2):
            yield once.removesuffix(repeated), "the base address ends before the name of a path"
    if _GEMINI.fullmatch(bare):
        yield _CHAT, "Gemini's API is not served here, its models are; choose an OpenAI-compatible server in this client"
    yield from _behind_a_prefix(bare)
    yield from _near(bare)


def _without_repeated_slashes(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path


def _behind_a_prefix(path: str) -> Iterator[tuple[str, str]]:
    """Addresses of other servers and of vendors: ``/openai/v1/…``, ``/anthropic/v1/…``, ``/openai/deployments/NAME/…``."""
    _, mark, rest = path.rpartition(f"{VERSION}/")
    if mark:
        yield f"{VERSION}/{rest}", _BASE
    parts = path.split("/")[1:]
    for number in range(1, min(len(parts), 6)):
        yield f"{VERSION}/{'/'.join(parts[number:])}", f"{_BASE}, and the model's name stands in the body"


def _near(path: str) -> Iterator[tuple[str, str]]:
    from difflib import get_close_matches

    if len(path) <= _LONGEST:
        for meant in get_close_matches(path.lower(), NEAR, 1, _LIKENESS):
            yield meant, "that is how it is spelt"
