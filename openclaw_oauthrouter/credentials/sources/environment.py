"""Credentials in environment variables: the vendors' own names, and ``<NAME>_API_KEY`` for any other configured provider."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding, Inventory, bare_finding

LOCAL_TOKEN = "OAUTHROUTER_LOCAL_TOKEN"
"""Clients may be given the gateway's own token under a vendor's name (``setup env``); no vendor must ever be sent it."""


def variables_of(provider: str) -> tuple[str, ...]:
    """The variables in which a provider's credentials are looked for: ``my-vllm`` -> ``MY_VLLM_API_KEY``."""
    preset = presets().get(provider)
    if preset is not None:
        return preset.variables
    return (f"{re.sub(r'[^A-Z0-9]+', '_', provider.upper()).strip('_')}_API_KEY",)


class EnvironmentSource(Inventory):
    """Environment variables, as they were at the start: a process's environment does not change from outside.

    :param environ: the variables
    :param providers: names of the configured providers
    """

    name = "environment"

    def __init__(self, environ: Mapping[str, str], providers: Iterable[str], clock: Clock) -> None:
        super().__init__(clock)
        self._findings = [
            bare_finding(f"env:{variable}", provider, self.name, environ[variable])
            for provider in dict.fromkeys((*presets(), *providers))
            for variable in variables_of(provider)
            if secret_text.clean(environ.get(variable)) and environ[variable] != environ.get(LOCAL_TOKEN)
        ]

    def findings(self) -> Sequence[Finding]:
        """One for each variable that is set and not blank."""
        return self._findings
