"""Takes out what looks like a secret from words that came from outside, before they are remembered."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily

_SECRET = lazily(
    r"""(?:sk|rk|pk|ghp|gho|xox[abp])[-_][A-Za-z0-9_-]{12,}      # vendors' prefixed keys and tokens
      | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?   # JSON web tokens
      | (?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}         # Authorization values
      | (?i:(?<=[?&])(?:token|code|key|api_key|access_token)=)[^&\s"']+""",
    re.VERBOSE,
)

REDACTED = "[redacted]"


def redact(text: str) -> str:
    """The text with everything that looks like a credential replaced by ``[redacted]``."""
    return _SECRET.sub(REDACTED, text)
