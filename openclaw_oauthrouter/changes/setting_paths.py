"""Which setting a list of words means, how a file spells it, and who may change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import NAMED_BY_THE_USER, SHORTHANDS, names_at
from openclaw_oauthrouter.config.section import Section
from openclaw_oauthrouter.config.spelling import snake
from openclaw_oauthrouter.errors import ForbiddenError, InvalidRequestError

SettingPath = tuple[str, ...]

MOST_WORDS = 6
MOST_LETTERS = 200

_BY_COMMAND = {
    "spend_controls": {"warn_command", "warn_url"},
    "notices": {"command"},
}
"""Settings of sections the dashboard may change that it may not: they run programs, or send somewhere what happens here."""

_PAGE_SECTIONS = frozenset({"spend_controls", "notices"})
_PAGE_SETTINGS = frozenset(
    {
        "routing.profile",
        "routing.aliases",
        "routing.exclude",
        "routing.max_tier",
        "routing.baseline",
        "routing.sticky",
        "credentials.paused",
        "credentials.pool_same_vendor",
    }
)
_CLIENT_KEY_LIMITS = frozenset({"allowlist_models", "daily_request_budget", "daily_cost_budget"})


def check_path(path: Sequence[object]) -> SettingPath:
    """A path as words.

    :raises InvalidRequestError: there is no such setting; says what may be meant
    """
    if not 1 <= len(path) <= MOST_WORDS or not all(isinstance(word, str) and 0 < len(word) <= MOST_LETTERS for word in path):
        raise InvalidRequestError(
            f"a setting's key must be a list of 1 to {MOST_WORDS} words", param="key", code="unknown_setting"
        )
    words = _normal([str(word) for word in path])
    model: Any = Settings
    for number, word in enumerate(words):
        model = _below(model, word)
        if model is None:
            raise InvalidRequestError(
                f"{'.'.join(words)}: no such setting{_hint(words[:number], word)}", param="key", code="unknown_setting"
            )
    return words


def check_page_may(path: SettingPath, settings: Settings) -> None:
    """See that the dashboard may change a setting; a command may change all of them.

    A browser's session is worth less than a terminal: it must not be able to start programs, to lead a key to another host, or to open
    the gateway to others.

    :raises ForbiddenError: it may not
    """
    if not _page_may(path, settings):
        raise ForbiddenError(
            f"{'.'.join(path)} is changed by a command only: `openclaw-oauthrouter config set {'.'.join(path)} …`",
            param="key",
            code="by_command_only",
        )


def _page_may(path: SettingPath, settings: Settings) -> bool:
    section, *rest = path
    if section in _PAGE_SECTIONS and rest:
        return rest[0] not in _BY_COMMAND.get(section, ())
    if ".".join(path[:2]) in _PAGE_SETTINGS:
        return True
    match path:
        case ("routing", "tiers", _):
            return True
        case ("server", "client_keys", name, limit):
            return limit in _CLIENT_KEY_LIMITS and name in settings.server.client_keys
        case ("providers", _, "enabled"):
            return True
        case ("providers", name):
            return may_make_provider(name, settings)
    return False


def may_make_provider(name: str, settings: Settings) -> bool:
    """Whether a name is free for a provider of the user's own, or for one known by name that needs an address first.

    One that has an address keeps it: a key kept for it would follow to another.
    """
    preset = presets().get(name)
    return name not in settings.providers and (preset is None or (preset.api_base is None and not preset.local))


def spelled(tree: Mapping[str, Any], path: SettingPath) -> SettingPath:
    """The path as a file spells it: camelCase, snake_case, or a short name of the original's."""
    dotted = ".".join(path)
    for short, long in SHORTHANDS.items():
        if short in map(snake, tree) and (dotted == long or dotted.startswith(f"{long}.")) and path[0] not in tree:
            own = next(key for key in tree if snake(key) == short)
            return (own, *_spelled_below(tree[own], path[len(long.split(".")) :], verbatim=False))
    return tuple(_spelled_below(tree, path, verbatim=False))


def _spelled_below(tree: Any, path: Sequence[str], *, verbatim: bool) -> list[str]:
    if not path:
        return []
    word, rest = path[0], path[1:]
    keys = list(tree) if isinstance(tree, Mapping) else []
    found = word if word in keys or verbatim else next((key for key in keys if snake(str(key)) == word), word)
    inner = tree.get(found) if isinstance(tree, Mapping) else None
    return [found, *_spelled_below(inner, rest, verbatim=not verbatim and word in NAMED_BY_THE_USER)]


def _normal(path: Sequence[str]) -> SettingPath:
    """In snake_case and without short names, but for names that the user made up."""
    first, *rest = path
    short = SHORTHANDS.get(snake(first))
    path = [*short.split("."), *rest] if short is not None else path
    words: list[str] = []
    verbatim = False
    for word in path:
        words.append(word if verbatim else snake(word))
        verbatim = not verbatim and words[-1] in NAMED_BY_THE_USER
    return tuple(words)


def _below(model: Any, word: str) -> Any:
    """What a word leads to below a model or a container; ``None`` when nothing."""
    if isinstance(model, type) and issubclass(model, Section):
        field = model.model_fields.get(word)
        return field.annotation if field is not None else None
    options = [model, *getattr(model, "__args__", ())]
    for option in options:
        if getattr(option, "__origin__", None) is dict:
            return option.__args__[1]
        if option is not model and isinstance(option, type) and issubclass(option, Section):
            return _below(option, word)
    return None


def _hint(parent: SettingPath, word: str) -> str:
    names = names_at(parent)
    close = get_close_matches(snake(word), names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
