"""Why a model cannot serve a request right now, found out before a call is wasted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from openclaw_oauthrouter.canonical.content import BlobPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelCard


@dataclass(frozen=True, slots=True)
class Needs:
    """What a request demands of a model.

    :ivar input_tokens: estimate of the prompt
    """

    input_tokens: int = 0
    images: bool = False
    documents: bool = False
    tools: bool = False


def needs_of(request: ChatRequest, input_tokens: int) -> Needs:
    """Read a request's demands off its parts."""
    modalities = {
        part.modality
        for message in request.messages
        for outer in message.parts
        for part in (outer.content if isinstance(outer, ToolCallResponsePart) else (outer,))
        if isinstance(part, (BlobPart, UriPart))
    }
    return Needs(input_tokens, "image" in modalities, "document" in modalities, bool(request.tools))


@dataclass(frozen=True, slots=True)
class UsableProviders:
    """The names of providers with a credential, as a container that looks only when asked: most requests name their provider."""

    usable: Callable[[str], bool]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.usable(name)


@dataclass(frozen=True, slots=True)
class Servable:
    """Judges models against a request and the state of the world.

    :ivar usable: whether a provider has a credential
    :ivar blocked: why a provider or model is out of order, ``None`` when it is not
    :ivar excluded: names the user keeps out of automatic routing
    :ivar today: for retirement dates; ``None`` ignores them
    """

    usable: Callable[[str], bool]
    blocked: Callable[[str, str], str | None]
    excluded: frozenset[str]
    today: Callable[[], date] | None

    def why_not(self, card: ModelCard, needs: Needs) -> str | None:
        """The first reason against a model, in words; ``None`` when it can serve."""
        if card.name in self.excluded or card.id in self.excluded:
            return "excluded by routing.exclude"
        if self.today is not None and card.retires is not None and card.retires <= self.today():
            return f"retired by its provider on {card.retires}"
        if not self.usable(card.provider):
            return f"no credential for {card.provider}"
        return _too_small(card, needs) or self.blocked(card.provider, card.id)


def _too_small(card: ModelCard, needs: Needs) -> str | None:
    if needs.images and not card.images:
        return "cannot see images"
    if needs.documents and not card.documents:
        return "cannot read documents"
    if needs.tools and not card.tools:
        return "cannot call tools"
    if card.context_window is not None and needs.input_tokens > card.context_window:
        return f"the prompt (about {needs.input_tokens} tokens) exceeds its window of {card.context_window}"
    return None
