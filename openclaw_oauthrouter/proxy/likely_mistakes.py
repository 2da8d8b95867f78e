"""What was probably meant by a path that nobody answers on."""

from __future__ import annotations

from collections.abc import Callable

VERSION = "/v1"


def likely_path(path: str, is_known: Callable[[str], bool]) -> tuple[str, str] | None:
    """The path that was meant, and how the client came to the other.

    :param is_known: whether something answers on a path
    """
    for meant, why in _candidates(path):
        if meant != path and is_known(meant):
            return meant, why
    return None


def _candidates(path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    bare = path.rstrip("/")
    if bare != path:
        found.append((bare, "without the slash at its end"))
    once = bare
    while once.startswith(f"{VERSION}{VERSION}/"):
        once = once.removeprefix(VERSION)
    found.append((once, f"this client adds {VERSION} to its base address by itself, so give it the address without {VERSION}"))
    found.append((f"{VERSION}{bare}", f"give this client the base address with {VERSION} at its end"))
    for repeated in ("/chat/completions", "/messages", "/responses", "/models"):
        if once.endswith(repeated * 2):
            found.append((once.removesuffix(repeated), "the base address ends before the name of a path"))
    if bare.startswith("/api/v1/"):
        found.append((bare.removeprefix("/api"), f"the base address here is the one that ends in {VERSION}"))
    if bare.startswith("/openai/"):
        found.append((bare.removeprefix("/openai"), f"the base address here is the one that ends in {VERSION}"))
    return found
