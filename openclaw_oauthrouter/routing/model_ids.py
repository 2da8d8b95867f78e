"""What a client means by ``model``."""

from __future__ import annotations

from collections.abc import Container, Mapping
from difflib import get_close_matches

from openclaw_oauthrouter.canonical.model_names import comparable, normalise
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.spelling import misspelt
from openclaw_oauthrouter.config.routing import Profile
from openclaw_oauthrouter.errors import InvalidRequestError, ModelNotFoundError
from openclaw_oauthrouter.interfaces import Provider

LONGEST_MODEL = 256
"""Characters. Names go into every record, and the unknown are compared with all that are known."""

PROFILES: tuple[Profile, ...] = ("economy", "balanced", "quality")


@value(frozen=True, slots=True)
class Auto:
    """The router shall choose.

    :ivar profile: from ids such as ``auto-economy``; ``None`` for plain ``auto``
    """

    profile: Profile | None = None


def shown_model(requested: str, info: ModelInfo) -> str:
    """The name an answer carries: the client's own spelling of the model that answered, else that model's name."""
    asked = comparable(requested)
    return requested.strip() if asked in (comparable(info.name), comparable(info.id)) else info.name


def resolve(
    model: str,
    providers: Mapping[str, Provider],
    aliases: Mapping[str, str],
    usable: Container[str],
) -> Auto | ModelInfo:
    """Find what a model id stands for.

    :param usable: providers that have a credential; preferred for bare ids
    :raises InvalidRequestError: the id is empty, or too long to be one
    :raises ModelNotFoundError: nobody serves it; names close matches
    """
    if len(model) > LONGEST_MODEL:
        raise InvalidRequestError(
            f"'model' has {len(model)} characters; no model's name has more than {LONGEST_MODEL}", param="model"
        )
    name = normalise(model)
    name = normalise(aliases.get(name) or aliases.get(model) or name)
    if not name:
        raise InvalidRequestError("'model' must not be empty; use 'auto' to let the gateway choose", param="model")
    if name.startswith("auto"):
        return Auto(next((profile for profile in PROFILES if name == f"auto-{profile}"), None))
    info = _prefixed(name, providers) or _bare(name, providers, usable)
    if info is None:
        raise ModelNotFoundError(_not_found(model, providers), param="model")
    meant = misspelt(info, providers[info.provider].models())
    if meant is not None:
        raise ModelNotFoundError(
            f"{info.provider} serves no model {info.id!r}; did you mean {info.provider}/{meant}?", param="model"
        )
    return info


def _prefixed(name: str, providers: Mapping[str, Provider]) -> ModelInfo | None:
    prefix, slash, rest = name.partition("/")
    provider = providers.get(prefix) if slash and rest else None
    return provider.model_info(rest) if provider else None


def _bare(name: str, providers: Mapping[str, Provider], usable: Container[str]) -> ModelInfo | None:
    # Whoever lists the id comes first; an endpoint of the user's own may list ids with slashes in them.
    listing = [n for n, provider in providers.items() if any(info.id == name for info in provider.models())]
    by_vendor = [n for n, preset in presets().items() if preset.own_ids and name.startswith(preset.own_ids)]
    candidates = [n for n in (*by_vendor, *listing) if n in providers]
    ordered = sorted(dict.fromkeys(candidates), key=lambda n: (n not in usable, candidates.index(n)))
    return next((info for n in ordered if (info := providers[n].model_info(name))), None)


def _not_found(model: str, providers: Mapping[str, Provider]) -> str:
    known = [info.name for provider in providers.values() for info in provider.models()] + ["auto"]
    names = known + [name.partition("/")[2] for name in known]
    close = list(dict.fromkeys(get_close_matches(normalise(model), names, n=3, cutoff=0.5)))
    hint = f"; close matches: {', '.join(close)}" if close else "; GET /v1/models lists what there is"
    return f"no configured provider serves the model {model!r}{hint}"
