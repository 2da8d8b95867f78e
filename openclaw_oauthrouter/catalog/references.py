"""Every model and provider that the settings name, resolved: what is written wrong is said where it is written, not by a failing request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Literal

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.model_names import comparable, normalise
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import bare_id
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.spelling import nearest
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.interfaces import Provider


@value(frozen=True, slots=True)
class Reference:
    """One name in the settings.

    :ivar key: where it stands, such as ``routing.tiers.SIMPLE.primary``
    :ivar kind: ``model``: has to be provider/id; ``model_or_id``: may be an id at any provider; ``alias``: may also be ``auto`` or
        another alias; ``provider``
    """

    key: str
    name: str
    kind: Literal["model", "model_or_id", "alias", "provider"]


@value(frozen=True, slots=True)
class Problem:
    """A name that leads nowhere.

    :ivar wrong: it can never work; otherwise it may be right, but nothing known says so
    """

    key: str
    wrong: bool
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


def check_references(settings: Settings, providers: Mapping[str, Provider]) -> list[Problem]:
    """All that is wrong, what cannot work first.

    :param providers: those that are in force
    """
    known = _Known(settings, providers)
    found = [problem for reference in references(settings) if (problem := known.problem(reference)) is not None]
    return sorted(found, key=lambda problem: not problem.wrong)


def references(settings: Settings) -> Iterator[Reference]:
    """Every name of a model or provider that a user wrote."""
    yield from _routing(settings)
    yield from _fallback(settings)
    spend = settings.spend_controls
    yield from _each("spend_controls.allowlist_models", spend.allowlist_models, "model_or_id")
    yield from _each("spend_controls.denylist_models", spend.denylist_models, "model_or_id")
    for number, budget in enumerate(spend.budgets):
        if budget.provider is not None:
            yield Reference(f"spend_controls.budgets[{number}].provider", budget.provider, "provider")
        if budget.model is not None:
            yield Reference(f"spend_controls.budgets[{number}].model", budget.model, "model")
    for name, key in settings.server.client_keys.items():
        yield from _each(f"server.client_keys.{name}.allowlist_models", key.allowlist_models, "model_or_id")


def _routing(settings: Settings) -> Iterator[Reference]:
    routing = settings.routing
    for tier, said in routing.tiers.items():
        if said.computed:
            continue
        yield Reference(f"routing.tiers.{tier}.primary", said.primary, "model")
        yield from _each(f"routing.tiers.{tier}.fallback", said.fallback, "model")
    for alias, target in routing.aliases.items():
        yield Reference(f"routing.aliases.{alias}", target, "alias")
    yield from _each("routing.exclude", routing.exclude, "model_or_id")
    if routing.baseline is not None:
        yield Reference("routing.baseline", routing.baseline, "model")


def _fallback(settings: Settings) -> Iterator[Reference]:
    fallback = settings.rate_limit_fallback
    if not fallback.enabled:
        return
    yield from _each("rate_limit_fallback.from_providers", fallback.from_providers, "provider")
    for number, stop in enumerate(fallback.chain or ()):
        key = f"rate_limit_fallback.chain[{number}]"
        yield Reference(f"{key}.provider", stop.provider, "provider")
        for name, target in stop.model_map.items():
            yield Reference(f"{key}.model_map.{name}", f"{stop.provider}/{target}", "model")
        if stop.default_model is not None:
            yield Reference(f"{key}.default_model", f"{stop.provider}/{stop.default_model}", "model")


def _each(key: str, names: Iterable[str], kind: Literal["model", "model_or_id", "provider"]) -> Iterator[Reference]:
    return (Reference(f"{key}[{number}]", name, kind) for number, name in enumerate(names))


class _Known:
    """What there is to refer to."""

    def __init__(self, settings: Settings, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        # Known by name, or switched off: may be there again tomorrow.
        self._absent = {*presets(), *settings.providers} - providers.keys()
        self._aliases = settings.routing.aliases

    @cached_property
    def _models(self) -> Sequence[ModelInfo]:
        return [info for provider in self._providers.values() for info in provider.models()]

    @cached_property
    def _ids(self) -> Set[str]:
        return {comparable(info.id) for info in self._models} | {bare_id(info.id) for info in self._models}

    def problem(self, reference: Reference) -> Problem | None:
        """What is wrong with a reference."""
        name = normalise(reference.name)
        if reference.kind == "provider":
            return self._provider(reference.key, name)
        if reference.kind == "alias" and (name.startswith("auto") or name in self._aliases):
            return None
        prefix, slash, model = name.partition("/")
        if reference.kind != "model" and (not slash or comparable(name) in self._ids):
            return self._bare(reference.key, name)
        if not slash or not model:
            return Problem(
                reference.key, True, f"{name!r} must be provider/model{_instead(name, (info.name for info in self._models))}"
            )
        return self._provider(reference.key, prefix) or self._model(reference.key, prefix, model)

    def _provider(self, key: str, name: str) -> Problem | None:
        if name in self._providers:
            return None
        if name in self._absent:
            return Problem(key, False, f"the provider {name!r} is switched off, or has no address yet")
        return Problem(key, True, f"there is no provider {name!r}{_instead(name, self._providers)}")

    def _model(self, key: str, name: str, model: str) -> Problem | None:
        provider = self._providers[name]
        listed = provider.models()
        if provider.model_info(model) is None:
            return Problem(key, False, f"{name} serves no model {model!r}{_nearest(name, model, listed)}")
        if not listed or comparable(model) in {comparable(info.id) for info in listed}:
            return None
        if bare_id(model) in {bare_id(info.id) for info in listed}:
            return None
        return Problem(key, False, f"{name} is not known to serve {model!r}{_nearest(name, model, listed)}")

    def _bare(self, key: str, name: str) -> Problem | None:
        if comparable(name) in self._ids or bare_id(name) in self._ids:
            return None
        return Problem(key, False, f"no provider is known to serve {name!r}{_instead(name, (info.id for info in self._models))}")


def _nearest(provider: str, model: str, listed: Iterable[ModelInfo]) -> str:
    close = [f"{provider}/{found}" for found in nearest(model, (info.id for info in listed))]
    return f"; nearest: {', '.join(close)}" if close else ""


def _instead(name: str, known: Iterable[str]) -> str:
    close = nearest(name, dict.fromkeys(known))
    return f"; nearest: {', '.join(close)}" if close else ""
