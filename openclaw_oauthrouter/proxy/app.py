"""The paths that are not hot, through Quart, behind the same gate as the model paths."""

from __future__ import annotations

import hmac
from functools import partial

from quart import Blueprint, Quart, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import (
    AuthenticationError,
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    OAuthRouterError,
    RequestError,
    RequestTooLargeError,
)
from openclaw_oauthrouter.policy.client_auth import DEFAULT_CLIENT
from openclaw_oauthrouter.proxy.answers import error_response
from openclaw_oauthrouter.proxy.api import api_blueprint
from openclaw_oauthrouter.proxy.asgi import admitted
from openclaw_oauthrouter.proxy.change_routes import PREFIXES, change_blueprint
from openclaw_oauthrouter.proxy.debug_routes import debug_blueprint
from openclaw_oauthrouter.proxy.gate import Gate
from openclaw_oauthrouter.proxy.history_routes import HistoryRoutes
from openclaw_oauthrouter.proxy.kept_routes import kept_blueprint
from openclaw_oauthrouter.proxy.likely_mistakes import likely_path
from openclaw_oauthrouter.proxy.live import SERVED, Live, Served
from openclaw_oauthrouter.proxy.models_list import model_entries
from openclaw_oauthrouter.proxy.passed_routes import passed_blueprint
from openclaw_oauthrouter.proxy.quart_requests import speaks_messages
from openclaw_oauthrouter.proxy.small_routes import is_browser_at_root, small_blueprint
from openclaw_oauthrouter.proxy.standing import models_standing
from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.reader import latest_records
from openclaw_oauthrouter.telemetry.trace_files import trace_path

_DASHBOARD = "/debug/dashboard"
_CODE = "/debug/dashboard/code"
_OWNERS = (_CODE, *PREFIXES)
"""What begins so is for the owner alone."""


def _served() -> Served:
    """What was in force when the request came: a change meanwhile must not close it, nor mix two configurations."""
    served: Served = request.scope[SERVED]  # type: ignore[literal-required]
    return served


def create_quart_app(live: Live) -> Quart:
    """The paths that are not hot."""
    app = Quart("openclaw_oauthrouter", static_folder=None)
    app.config["RESPONSE_TIMEOUT"] = None  # a stream may last as long as it likes
    app.url_map.merge_slashes = False  # it would redirect: a client is told what is wrong with its base address instead
    app.register_blueprint(
        api_blueprint(
            lambda: _served().runtime,
            lambda: _served().paths,
            live.observers.recorder,
            lambda: str(live.editing.file.path) if live.editing else None,
            lambda: live.config_problem,
        )
    )
    app.register_blueprint(kept_blueprint(lambda: _served().runtime, lambda: _served().paths, live.observers.recorder))
    app.register_blueprint(passed_blueprint(lambda: _served().runtime, lambda: _served().paths, live.observers.recorder))
    app.register_blueprint(small_blueprint(lambda: model_entries(_served().runtime)))
    history = TraceHistory(trace_path(live.runtime.settings.home))
    live.at_close.append(history.close)
    history_routes = HistoryRoutes(history, live.observers.clock)
    app.register_blueprint(_debug(live, live.runtime.settings, history_routes))
    app.register_blueprint(change_blueprint(lambda: _served().runtime, lambda: live.editing, live.observers.clock))
    app.register_blueprint(history_routes.blueprint())

    @app.before_request
    async def admit() -> Response | None:
        return await _admit(_served().gate, live.token)

    app.register_error_handler(OAuthRouterError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _debug(live: Live, settings: Settings, history: HistoryRoutes) -> Blueprint:
    observers = live.observers
    traced = settings.telemetry.trace_file
    return debug_blueprint(
        ring=observers.ring,
        panels=observers.panels,
        logins=observers.logins,
        health=live.runtime.health,
        spend_snapshot=lambda: _served().runtime.spend.snapshot(),
        clock=observers.clock,
        classifier_faults=lambda: _served().runtime.request_classifier.faults,
        metrics=observers.metrics.render if observers.metrics else None,
        prompts=settings.telemetry.prompts,
        sums=history.sums if traced else None,
        models=lambda: models_standing(_served().runtime),
        earlier=partial(latest_records, trace_path(settings.home)) if traced else None,
    )


async def _admit(gate: Gate, token: Secret) -> Response | None:
    """Nothing but ``/health`` without a token; the dashboard takes a session or a one-time code instead."""
    if request.path == "/health":
        return None
    headers = {name.lower(): value for name, value in request.headers.items()}
    gate.check_source(headers, request.scheme)
    if request.method in ("GET", "HEAD") and is_browser_at_root(request.path, headers.get("accept", "")):
        return None
    is_debug = request.path.startswith(("/debug/", "/metrics", "/v1/route/"))
    if request.path.startswith(_OWNERS):
        _admit_owner(gate, headers)
        return None
    if is_debug and (gate.has_session(headers) or _has_code_or_token(token)):
        admitted(request.scope)  # type: ignore[arg-type]
        return None
    try:
        g.client = gate.identify(headers)
        admitted(request.scope)  # type: ignore[arg-type]
    except AuthenticationError:
        if request.path == _DASHBOARD:
            return _signed_out()
        raise
    return None


def _admit_owner(gate: Gate, headers: dict[str, str]) -> None:
    """Let in who may change things: the main token, or a session on the dashboard's own page.

    A session opens no further ones: whoever got hold of a cookie has it for its time and no longer.

    :raises AuthenticationError: neither
    :raises ForbiddenError: a client key, or another page
    """
    if request.path != _CODE and gate.has_session(headers):
        if request.method not in ("GET", "HEAD"):
            gate.check_own_page(headers, request.scheme)
    elif gate.identify(headers) != DEFAULT_CLIENT:
        raise ForbiddenError("a client key may not do this; it takes the gateway's main token", code="owner_only")
    g.client = DEFAULT_CLIENT
    admitted(request.scope)  # type: ignore[arg-type]


def _has_code_or_token(token: Secret) -> bool:
    # The debug routes check the code themselves. A token in the URL is the original's way; it is redirected away at once.
    if request.path == _DASHBOARD and "code" in request.args:
        return True
    offered = request.args.get("token", "")
    return request.path == _DASHBOARD and bool(offered) and hmac.compare_digest(offered.encode(), token.reveal().encode())


def _signed_out() -> Response:
    from openclaw_oauthrouter.dashboard.assets import PAGE_HEADERS, Assets

    page = Assets().get("signed-out.html")
    body: bytes = page.body if page else b"sign in first"
    return Response(body, 401, headers={**PAGE_HEADERS, "content-type": "text/html; charset=utf-8"})


async def _refused(error: OAuthRouterError) -> Response:
    spoken = _served().runtime.pipeline.dialects["anthropic_messages"] if speaks_messages() else None
    return error_response(error, spoken)


async def _http_error(error: HTTPException) -> Response:
    return await _refused(_translated(error))


def _is_known(path: str) -> bool:
    adapter = current_app.url_map.bind("")
    return _served().paths.find(path) is not None or any(adapter.test(path, method) for method in ("GET", "POST"))


def _not_found() -> NotFoundError:
    path: str = request.scope["path"]  # as it came: Quart's has lost slashes at its beginning
    meant = likely_path(path, _is_known)
    if meant is not None:
        return NotFoundError(f"there is no {request.method} {path} here, but {meant[0]}: {meant[1]}")
    return NotFoundError(f"there is no {request.method} {path} here; models answer on {_served().paths}")


def _translated(error: HTTPException) -> OAuthRouterError:
    if error.code == 404:
        return _not_found()
    if error.code == 405:
        refused_method = MethodNotAllowedError(f"{request.path} does not take {request.method}")
        refused_method.allowed = tuple(sorted(getattr(error, "valid_methods", None) or refused_method.allowed))
        return refused_method
    if error.code == 413:
        return RequestTooLargeError("the request's body is too large (server.max_body_bytes)")
    if error.code is not None and error.code < 500:
        refused = RequestError(error.description or "bad request")
        refused.status_code = error.code
        return refused
    return OAuthRouterError("the gateway failed; its log says why")
