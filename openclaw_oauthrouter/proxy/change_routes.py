"""The routes by which the dashboard changes things; whoever comes here is the owner, by session or by the main token.

Every change of settings is planned first (``preview``), carries the version of the file it was planned against, and is refused with 409 when
the file is another by then; so a request that is sent twice does nothing the second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import orjson
from quart import Blueprint, Response, request

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.references import check_references
from openclaw_oauthrouter.changes.client_keys import new_key, removed_key
from openclaw_oauthrouter.changes.credentials import (
    NO_KEY,
    as_credential,
    check_provider,
    check_takes_keys,
    keep,
    try_key,
)
from openclaw_oauthrouter.changes.setting_paths import check_page_may, check_path
from openclaw_oauthrouter.changes.settings_file import Plan, SettingChange
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.sources.store import StoreSource
from openclaw_oauthrouter.errors import (
    CredentialError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from openclaw_oauthrouter.proxy.editing import Editing
from openclaw_oauthrouter.proxy.models_view import models_view
from openclaw_oauthrouter.proxy.settings_view import DEMO, NOT_EDITABLE, settings_view
from openclaw_oauthrouter.runtime import Runtime

MOST_BYTES = 64 * 1024
"""A change is small; a body that is larger is somebody's mistake."""

MOST_CHANGES = 50

PREFIXES = ("/debug/settings", "/debug/accounts", "/debug/client-keys", "/debug/sign-in")
"""Below these only the owner is let in."""

_T = TypeVar("_T")


def change_blueprint(runtime: Callable[[], Runtime], editing: Callable[[], Editing | None], clock: Clock) -> Blueprint:
    """The routes, as a blueprint without a prefix.

    :param editing: ``None`` where nothing can be changed
    """
    routes = Blueprint("changes", __name__)
    settings, accounts = _SettingRoutes(runtime, editing, clock), _AccountRoutes(runtime, editing)
    routes.add_url_rule("/debug/settings", "settings", settings.show)
    routes.add_url_rule("/debug/models", "models_view", settings.models)
    for path, answer in {
        "/debug/settings/preview": settings.preview,
        "/debug/settings/apply": settings.apply,
        "/debug/settings/undo": settings.undo,
        "/debug/client-keys/add": settings.add_client_key,
        "/debug/client-keys/remove": settings.remove_client_key,
        "/debug/accounts/add": accounts.add,
        "/debug/accounts/test": accounts.test,
        "/debug/accounts/remove": accounts.remove,
        "/debug/accounts/put-back": accounts.put_back,
        "/debug/sign-in": accounts.sign_in,
    }.items():
        routes.add_url_rule(path, path.removeprefix("/debug/").replace("/", "_"), answer, methods=["POST"])
    routes.add_url_rule("/debug/sign-in", "sign_in_state", accounts.sign_in_state, methods=["GET"])
    return routes


class _SettingRoutes:
    def __init__(self, runtime: Callable[[], Runtime], editing: Callable[[], Editing | None], clock: Clock) -> None:
        self._runtime = runtime
        self._editing = editing
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def show(self) -> Response:
        """What is in force."""
        return _json(await _in_thread(partial(settings_view, self._runtime(), self._editing(), self._clock)))

    async def models(self) -> Response:
        """Every model of the providers that can be used; with ``?all=1`` of all providers."""
        everything = request.args.get("all") == "1"
        return _json(await _in_thread(partial(models_view, self._runtime(), everything=everything)))

    async def preview(self) -> Response:
        """What a change would do: the file's lines, the settings that differ, names that lead nowhere."""
        body = await _body("changes")
        plan = await _in_thread(partial(self._owned().plan, self._wanted(body)))
        return _json(self._told(plan))

    async def apply(self) -> Response:
        """Make a change that was shown before."""
        body = await _body("changes", "version")
        editing, version = self._owned(), _text(body, "version")
        async with self._one_at_a_time:
            editing.file.check_version(version)
            plan = await _in_thread(partial(editing.plan, self._wanted(body)))
            editing.make(plan)
        return _json({**self._told(plan), "version": editing.file.version(), "undo": plan.change.name})

    async def undo(self) -> Response:
        """Take a change back; with ``"preview": true`` only show what that would do."""
        body = await _body("name", "version", optional=("preview",))
        editing = self._owned()
        async with self._one_at_a_time:
            editing.file.check_version(_text(body, "version"))
            plan = await _in_thread(partial(editing.file.plan_undo, _text(body, "name")))
            if not body.get("preview"):
                editing.make(plan)
        return _json({**self._told(plan), "version": editing.file.version()})

    async def add_client_key(self) -> Response:
        """Add a client key; the answer alone holds its token."""
        body = await _body("name", "version", optional=("limits",))
        editing, limits = self._owned(), body.get("limits") or {}
        if not isinstance(limits, dict):
            raise InvalidRequestError("'limits' must be an object", param="limits")
        async with self._one_at_a_time:
            editing.file.check_version(_text(body, "version"))
            change, token = new_key(_text(body, "name"), limits, self._runtime().settings, editing.new_token)
            plan = await _in_thread(partial(editing.plan, [change]))
            editing.make(plan)
        told = {"token": token.reveal(), "version": editing.file.version(), "undo": plan.change.name}
        return _json({**self._told(plan), **told})

    async def remove_client_key(self) -> Response:
        """Remove a client key; whoever sends its token is a stranger from then on."""
        body = await _body("name", "version")
        editing = self._owned()
        async with self._one_at_a_time:
            editing.file.check_version(_text(body, "version"))
            plan = await _in_thread(partial(editing.plan, [removed_key(_text(body, "name"), self._runtime().settings)]))
            editing.make(plan)
        return _json({**self._told(plan), "version": editing.file.version(), "undo": plan.change.name})

    def _owned(self) -> Editing:
        return _editable(self._editing(), self._runtime())

    def _wanted(self, body: JsonObject) -> list[SettingChange]:
        rows = body["changes"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_CHANGES or not all(isinstance(row, dict) for row in rows):
            raise InvalidRequestError(f"'changes' must be a list of 1 to {MOST_CHANGES} objects", param="changes")
        settings = self._runtime().settings
        return [_change(row, settings) for row in rows]

    def _told(self, plan: Plan) -> JsonObject:
        after = plan.after.settings
        problems = check_references(after, self._runtime().pipeline.upstream.providers)
        return {
            "version": plan.version,
            "diff": plan.diff(),
            "settings": list(plan.lines),
            "problems": [{"key": one.key, "wrong": one.wrong, "message": one.message} for one in problems],
        }


class _AccountRoutes:
    def __init__(self, runtime: Callable[[], Runtime], editing: Callable[[], Editing | None]) -> None:
        self._runtime = runtime
        self._editing = editing

    async def add(self) -> Response:
        """Keep a key or token in our own store."""
        body = await _body("provider", optional=("secret", "name"))
        editing, provider = self._owned(), self._provider(body)
        try:
            check_takes_keys(provider)
            store, secret = editing.removed.store, _secret(body, provider)
            name = _text(body, "name") if body.get("name") else None
            kept = await _in_thread(partial(keep, store, provider, secret, name))
        except CredentialError as error:
            raise InvalidRequestError(error.message, param="secret", code=error.code) from None
        return _json({"name": kept, "provider": provider})

    async def test(self) -> Response:
        """Ask a provider for its list of models with a key that is kept, or with one that is not kept yet."""
        body = await _body("provider", optional=("secret", "name"))
        self._owned()
        provider, runtime = self._provider(body), self._runtime()
        if body.get("secret"):
            credential = as_credential(provider, _secret(body, provider))
        else:
            credential = await self._kept(provider, body.get("name"))
        found = await try_key(runtime.pipeline.upstream.providers.get(provider), credential, runtime.transport)
        return _json({"works": found.works, "proven": found.proven, "models": found.models, "words": found.words})

    async def remove(self) -> Response:
        """Remove a credential from our own store."""
        body = await _body("name")
        removed, name = self._owned().removed, _text(body, "name").removeprefix(StoreSource.prefix)
        return _json({"name": name, "undo": await _in_thread(partial(removed.remove, name))})

    async def put_back(self) -> Response:
        """Put a removed credential back."""
        body = await _body("undo")
        return _json({"name": await _in_thread(partial(self._owned().removed.put_back, _text(body, "undo")))})

    async def sign_in(self) -> Response:
        """Begin to sign in with ChatGPT; answers the page to open."""
        await _body()
        try:
            return _json({"url": await _in_thread(self._owned().sign_in.begin)})
        except CredentialError as error:
            raise InvalidRequestError(error.message, code=error.code) from None

    async def sign_in_state(self) -> Response:
        """How the sign-in stands."""
        state = self._owned().sign_in.state
        return _json({"state": state.state, "words": state.words})

    def _owned(self) -> Editing:
        return _editable(self._editing(), self._runtime())

    def _provider(self, body: JsonObject) -> str:
        provider = _text(body, "provider").strip().lower()
        check_provider(provider, {**self._runtime().pipeline.upstream.providers, **self._runtime().settings.providers})
        return provider

    async def _kept(self, provider: str, name: object) -> Any:
        credentials = self._runtime().credentials
        try:
            found = await credentials.resolve(provider)
        except CredentialError as error:
            raise NotFoundError(error.message, param="name") from None
        chosen = next((one for one in found if name is None or one.name == name), None)
        if chosen is None:
            raise NotFoundError(
                f"{str(name)[:80]!r} is not among the credentials {provider!r} would be asked with now", param="name"
            )
        return chosen


def _editable(editing: Editing | None, runtime: Runtime) -> Editing:
    if editing is None:
        raise ForbiddenError(DEMO if runtime.settings.demo else NOT_EDITABLE, code="read_only")
    return editing


def _change(row: JsonObject, settings: Any) -> SettingChange:
    unknown = next((name for name in row if name not in ("key", "value")), None)
    if unknown is not None or not isinstance(row.get("key"), list):
        raise InvalidRequestError('a change is {"key": ["routing", "profile"], "value": …}', param=str(unknown or "key")[:80])
    path = check_path(row["key"])
    check_page_may(path, settings)
    return SettingChange(path, row.get("value"))


def _secret(body: JsonObject, provider: str) -> str:
    preset = presets().get(provider)
    if preset is not None and preset.local and not body.get("secret"):
        return NO_KEY
    # What is wrong with it is said without quoting it.
    if not isinstance(body.get("secret"), str):
        raise InvalidRequestError("'secret' must be the key as text", param="secret")
    return secret_text.clean(body["secret"])


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name!r} must be a text", param=name)
    return value


async def _body(*required: str, optional: tuple[str, ...] = ()) -> JsonObject:
    """A small JSON object with these members and no others.

    :raises UnsupportedMediaTypeError: it is not called JSON: no form of another page can be taken for it
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaTypeError("a change is sent as application/json")
    if (request.content_length or 0) > MOST_BYTES:
        raise RequestTooLargeError(f"a change has at most {MOST_BYTES} bytes")
    raw = await request.get_data(as_text=False)
    if len(raw) > MOST_BYTES:
        raise RequestTooLargeError(f"a change has at most {MOST_BYTES} bytes")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise InvalidRequestError("a change is a JSON object")
    for name in body:
        if name not in (*required, *optional):
            raise InvalidRequestError(f"there is no member {name[:80]!r} here", param=name[:80], code="unknown_member")
    for name in required:
        if name not in body:
            raise InvalidRequestError(f"{name!r} is missing", param=name)
    return body


def _json(body: JsonObject) -> Response:
    return Response(orjson.dumps(body), content_type="application/json", headers={"cache-control": "no-store"})


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
