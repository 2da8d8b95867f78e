"""What this gateway is called in the host's files and in those of clients."""

from __future__ import annotations

PROVIDER_ID = "oauthrouter"
LABEL = "OAuthRouter"
TOKEN_VARIABLE = "OAUTHROUTER_LOCAL_TOKEN"
"""Environment variable that carries the local token; read by the gateway and by the host alike."""
