"""Sealed reasoning comes back as it was; a seal that somebody damaged or forged is a string like any other."""

from __future__ import annotations

import base64

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.opaque import seal, unseal


def forged(content: bytes) -> str:
    return "oar1." + base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "opaque",
    [Opaque("signature", "s"), Opaque("redacted", "ü", "anthropic/a"), Opaque("encrypted", "e", "openai/b", "rs_1")],
    ids=lambda opaque: opaque.kind,
)
def test_opaque_what_was_sealed_is_unsealed(opaque: Opaque) -> None:
    assert unseal(seal(opaque)) == opaque


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bare",
        "oar1.",
        "oar1.é",
        "oar1.e30",
        forged(b"[]"),
        forged(b'{"k":"other","d":"x"}'),
        forged(b'{"k":[],"d":"x"}'),
        forged(b'{"k":"encrypted","d":["x"]}'),
        forged(b'{"k":"encrypted","d":"\\ud800"}'),
        forged(b'{"k":"encrypted","d":"x","o":{"a":1}}'),
        forged(b'{"k":"encrypted","d":"x","o":"\\udfff"}'),
        forged(b'{"k":"encrypted","d":"x","i":{"a":1}}'),
        forged(b'{"k":"encrypted","d":"x","i":"\\ud800"}'),
        forged(b'{"k":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
        forged(b"\xff"),
    ],
)
def test_opaque_anything_else_is_not_ours(text: str) -> None:
    assert unseal(text) is None


def test_opaque_unsealed_string_can_be_written() -> None:
    opaque = unseal(forged(b'{"k":"encrypted","d":"\\ud83d\\ude00"}'))
    assert opaque == Opaque("encrypted", "\U0001f600")
    assert orjson.dumps(opaque.data)
