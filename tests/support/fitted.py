"""Encodes a request as a call does: fitted to its model first."""

from __future__ import annotations

from dataclasses import replace

from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.interfaces import Dialect


def encoded_for(dialect: Dialect, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """What is sent for a request, with the notes of fitting before those of encoding."""
    info = with_accepts(info, dialect.name)
    fitted, notes = fit(request, info, dialect.name)
    encoded = dialect.encode_request(fitted, info)
    return replace(encoded, notes=(*notes, *encoded.notes))
