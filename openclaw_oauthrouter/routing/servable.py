"""Why a model cannot serve a request right now, found out before a call is wasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from openclaw_oauthrouter.canonical.content import BlobPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelCard
from openclaw_oauthrouter.errors import InvalidRequestError


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

    def asking_once(self) -> Servable:
        """The same, for one route: a provider's credentials are looked for once, however many of its models come into question."""
        return replace(self, usable=cache(self.usable))

    def why_not(self, card: ModelCard, needs: Needs) -> str | None:
        """The first reason against a model, in words; ``None`` when it can serve."""
        return self.unfit(card, needs) or self.blocked(card.provider, card.id)

    def unfit(self, card: ModelCard, needs: Needs) -> str | None:
        """Like ``why_not``, but a model that is merely out of order for now is fit."""
        if card.name in self.excluded or card.id in self.excluded:
            return "excluded by routing.exclude"
        if self.today is not None and card.retires is not None and card.retires <= self.today():
            return f"retired by its provider on {card.retires}"
        if not self.usable(card.provider):
            return f"no credential for {card.provider}"
        return _too_small(card, needs)

    def refusal(self, considered: Sequence[ModelCard], needs: Needs) -> InvalidRequestError:
        """What to tell a client whose request none of the models can ever serve, although there are credentials.

        Agents make their conversation shorter when they hear ``context_length_exceeded``.
        """
        usable = [card for card in considered if self.usable(card.provider)]
        reasons = "; ".join(f"{card.name}: {self.unfit(card, needs)}" for card in usable) or "no usable provider lists a model"
        if any(self.unfit(card, replace(needs, input_tokens=0)) is None for card in usable):
            return InvalidRequestError(
                f"prompt is too long: no model that 'auto' may choose takes about {needs.input_tokens} tokens ({reasons})",
                code="context_length_exceeded",
                param="messages",
            )
        return InvalidRequestError(f"no model that 'auto' may choose can serve this request ({reasons})", param="model")


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
