"""Tries a credential with requests that cost nothing: the provider's list of models, and where everybody gets that, what it says of the key."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

import httpx

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.listings import ListedModel, ListingError
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.interfaces import ListsModels
from openclaw_oauthrouter.upstream.model_lists import ASKED_SECONDS, fetch_models

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Google answers 400 to a key that is none of its own.


@value(frozen=True, slots=True)
class KeyCheck:
    """What trying a credential showed.

    :ivar state: ``untested`` when the provider said neither yes nor no
    :ivar detail: why it is not ``accepted``, in words
    :ivar models: its models, where its list came
    """

    state: Literal["accepted", "refused", "untested"]
    detail: str = ""
    models: Sequence[ListedModel] = ()


async def check_key(
    transport: httpx.AsyncBaseTransport, provider: object, credential: Credential | None, seconds: float = ASKED_SECONDS
) -> KeyCheck:
    """Try a credential at the provider it belongs to; without one, whether the provider answers.

    :param seconds: for each request
    """
    if not isinstance(provider, ListsModels):
        return KeyCheck("untested", "this provider has no list of models to test a key with")
    try:
        models = await fetch_models(transport, provider, credential, seconds)
    except ListingError as error:
        return KeyCheck("refused" if error.status in _REFUSALS else "untested", str(error))
    if credential is None:
        return KeyCheck("accepted", models=models)
    preset = presets().get(getattr(provider, "name", ""))
    if preset is not None and preset.key_path is not None:
        state, detail = await _ask_for_key(transport, provider, credential, preset.key_path, seconds)
        return KeyCheck(state, detail, models)
    try:
        await fetch_models(transport, provider, None, seconds)
    except ListingError:
        return KeyCheck("accepted", models=models)
    return KeyCheck("untested", f"it lists {len(models)} models, but to anybody: the key itself is not tested by that", models)


async def _ask_for_key(
    transport: httpx.AsyncBaseTransport, provider: ListsModels, credential: Credential, path: str, seconds: float
) -> tuple[Literal["accepted", "refused", "untested"], str]:
    model_list = provider.list_requests(credential)[0]
    # With the headers the list is asked for with, and at the same host: a key goes nowhere else.
    request = httpx.Request("GET", model_list.url.join(path), headers=model_list.headers)
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    try:
        response = await transport.handle_async_request(request)
        await response.aclose()
    except httpx.HTTPError as error:
        return "untested", f"it cannot be reached ({type(error).__name__})"
    if response.status_code == HTTPStatus.OK:
        return "accepted", ""
    return "refused" if response.status_code in _REFUSALS else "untested", f"it answered {response.status_code}"
