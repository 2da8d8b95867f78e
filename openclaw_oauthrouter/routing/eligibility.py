"""Why a model cannot serve a request right now, found out before a call is wasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import InvalidRequestError


@value(frozen=True, slots=True)
class Requirements:
    """What a request demands of a model.

    :ivar input_tokens: estimate of the prompt
    :ivar structured_output: ``json_object`` or ``json_schema``; ``None`` asks for no shape
    """

    input_tokens: int = 0
    images: bool = False
    documents: bool = False
    tools: bool = False
    audio: bool = False
    structured_output: str | None = None

    @property
    def media(self) -> bool:
        """Whether it holds more than text."""
        return self.images or self.documents or self.audio

    @property
    def needs(self) -> int:
        """The same but for the length, as bits."""
        bits = IMAGES * self.images | DOCUMENTS * self.documents | AUDIO * self.audio | TOOLS * self.tools
        return bits | _SHAPES[self.structured_output] if self.structured_output is not None else bits


def requirements_of(request: ChatRequest, input_tokens: int) -> Requirements:
    """Read a request's demands off its parts."""
    modalities = request.overview.modalities
    shape = request.response_format.kind if request.response_format is not None else "text"
    return Requirements(
        input_tokens,
        images="image" in modalities,
        documents="document" in modalities,
        tools=bool(request.tools),
        audio="audio" in modalities,
        structured_output=None if shape == "text" else shape,
    )


IMAGES, DOCUMENTS, AUDIO, TOOLS, JSON_OBJECT, JSON_SCHEMA = (1 << place for place in range(6))
"""What a request may need, as bits."""

_NEEDS = ("images", "documents", "audio", "tools", "json_object", "json_schema")
NEEDS = tuple(tuple(name for place, name in enumerate(_NEEDS) if bits >> place & 1) for bits in range(1 << len(_NEEDS)))
"""The same in words, by bits."""
_SHAPES = {"json_object": JSON_OBJECT, "json_schema": JSON_SCHEMA}
_NO_WINDOW = 1 << 62


class Offer(NamedTuple):
    """What a model has to offer, whoever asks.

    :ivar barred: why nothing is asked of it at all, in words
    :ivar lacks: what it surely does not offer, as bits
    :ivar window: tokens of the longest prompt
    """

    barred: str | None
    lacks: int
    window: int


class Asking:
    """Holds models against one request: a provider's credentials are looked for once, however many of its models come into question.

    :param requirements: of the request
    """

    def __init__(self, eligibility: Eligibility, requirements: Requirements) -> None:
        self._eligibility = eligibility
        self._requirements = requirements
        self._needs = requirements.needs
        self._usable: dict[str, bool] = {}

    def why_not(self, info: ModelInfo, offer: Offer) -> str | None:
        """See ``Eligibility.why_not``: most models are up to most requests, and that is seen from their offers."""
        provider = info.provider
        usable = self._usable.get(provider)
        if usable is None:
            usable = self._usable[provider] = self._eligibility.usable(provider)
        fits = not self._needs & offer.lacks and self._requirements.input_tokens <= offer.window
        if usable and fits and offer.barred is None:
            return self._eligibility.blocked(provider, info.id)
        return self._eligibility.why_not(info, self._requirements)


@value(frozen=True, slots=True)
class UsableProviders:
    """The names of providers with a credential, as a container that looks only when asked: most requests name their provider."""

    usable: Callable[[str], bool]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.usable(name)


@value(frozen=True, slots=True)
class Eligibility:
    """Holds models against a request and the state of the world.

    :ivar usable: whether a provider has a credential
    :ivar blocked: why a provider or model is out of order, ``None`` when it is not
    :ivar excluded: names the user keeps out of automatic routing
    :ivar today: for retirement dates; ``None`` ignores them
    :ivar shapes: kinds of structured output that a model keeps to; ``None`` takes all to keep to all
    :ivar calm: whether nothing at all is out of order; ``None`` where that is found out by asking for each
    """

    usable: Callable[[str], bool]
    blocked: Callable[[str, str], str | None]
    excluded: frozenset[str]
    today: Callable[[], date] | None
    shapes: Callable[[ModelInfo], Sequence[str]] | None = None
    calm: Callable[[], bool] | None = None

    def day(self) -> date | None:
        """The present day, for dates of retirement; ``None`` where they do not count."""
        return self.today() if self.today is not None else None

    def offer_of(self, info: ModelInfo) -> Offer:
        """What does not depend on the request: worth finding out once for the models of the tiers, as long as it is one day."""
        lacks = sum(
            [
                IMAGES * (info.images is False),
                DOCUMENTS * (info.documents is False),
                AUDIO * (info.audio is False),
                TOOLS * (not info.tools),
            ]
        )
        if self.shapes is not None:
            kept = self.shapes(info)
            lacks += sum([bit for shape, bit in _SHAPES.items() if shape not in kept])
        return Offer(self._barred(info), lacks, info.max_input_tokens or info.context_window or _NO_WINDOW)

    def why_not(self, info: ModelInfo, requirements: Requirements) -> str | None:
        """The first reason against a model, in words; ``None`` when it can serve."""
        return self.unfit(info, requirements) or self.blocked(info.provider, info.id)

    def unfit(self, info: ModelInfo, requirements: Requirements) -> str | None:
        """Like ``why_not``, but a model that is merely out of order for now is fit."""
        barred = self._barred(info)
        if barred is not None:
            return barred
        if not self.usable(info.provider):
            return f"no credential for {info.provider}"
        shape = requirements.structured_output
        if shape is not None and self.shapes is not None and shape not in self.shapes(info):
            return f"cannot keep to a shape of the answer ({shape})"
        return too_small(info, requirements)

    def _barred(self, info: ModelInfo) -> str | None:
        if self.excluded and (info.name in self.excluded or info.id in self.excluded):
            return "excluded by routing.exclude"
        if self.today is not None and info.retires is not None and info.retires <= self.today():
            return f"retired by its provider on {info.retires}"
        return None

    def refusal(self, considered: Sequence[ModelInfo], requirements: Requirements) -> InvalidRequestError:
        """What to tell a client whose request none of the models can ever serve, although there are credentials.

        Agents make their conversation shorter when they hear ``context_length_exceeded``.
        """
        usable = [info for info in considered if self.usable(info.provider)]
        reasons = (
            "; ".join(f"{info.name}: {self.unfit(info, requirements)}" for info in usable) or "no usable provider lists a model"
        )
        if any(self.unfit(info, replace(requirements, input_tokens=0)) is None for info in usable):
            return InvalidRequestError(
                f"prompt is too long: no model that 'auto' may choose takes about {requirements.input_tokens} tokens ({reasons})",
                code="context_length_exceeded",
                param="messages",
            )
        return InvalidRequestError(f"no model that 'auto' may choose can serve this request ({reasons})", param="model")


def doubt(info: ModelInfo, requirements: Requirements) -> str | None:
    """What a model may not take although it is asked for, in words; ``None`` when nothing is in doubt."""
    if requirements.images and info.images is None:
        return "may not see images: published tables contradict one another"
    if requirements.documents and info.documents is None:
        return "may not read documents: published tables contradict one another"
    if requirements.audio and info.audio is None:
        return "may not hear audio: published tables contradict one another"
    return None


def too_small(info: ModelInfo, requirements: Requirements) -> str | None:
    """What a request demands that a model does not offer, in words; ``None`` when it offers all."""
    if requirements.images and info.images is False:
        return "cannot see images"
    if requirements.documents and info.documents is False:
        return "cannot read documents"
    if requirements.tools and not info.tools:
        return "cannot call tools"
    if requirements.audio and info.audio is False:
        return "cannot hear audio"
    window = info.max_input_tokens or info.context_window
    if window is not None and requirements.input_tokens > window:
        return f"the prompt (about {requirements.input_tokens} tokens) exceeds its window of {window}"
    return None
