"""What hosts wrap around their users' words, one file a host."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.envelopes.claude_code import ClaudeCode
from openclaw_oauthrouter.classifier.envelopes.codex_cli import CodexCli
from openclaw_oauthrouter.classifier.envelopes.openclaw import OpenClaw
from openclaw_oauthrouter.interfaces import Envelope


def builtin_envelopes() -> tuple[Envelope, ...]:
    """The envelopes this package knows."""
    return (OpenClaw(), ClaudeCode(), CodexCli())
