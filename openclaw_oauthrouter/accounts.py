"""Credentials and their health together, as routing asks of them: windows and cooldowns are kept for each credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.routing import ModelInfo, Payer, Payment
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.accepts import accepts_of
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.interfaces import Health, Provider
from openclaw_oauthrouter.routing.cost import shadow_price

PAID_KEY = Payment()
"""Dollars by the token; also where nobody knows who would pay."""

_KEY_ALONE = (Payer(None, 1.0),)


@value(frozen=True, slots=True)
class Accounts:
    """What routing asks of credentials and of their health together: windows and cooldowns are kept for each credential."""

    providers: Mapping[str, Provider]
    credentials: CredentialChain
    health: Health | None
    assume_credentials: bool = False

    def usable(self, provider: str) -> bool:
        """Whether a request to a provider could be authenticated."""
        if self.assume_credentials:
            return True
        if not self.providers[provider].needs_credential:
            return not self.credentials.paused(provider)
        return self.credentials.known(provider).usable

    def calm(self) -> bool:
        """Whether no provider, model or credential at all is out of order."""
        return self.health is None or not self.health.troubled

    def blocked(self, provider: str, model: str) -> str | None:
        """Why a model cannot be called with any of the provider's credentials, in words; ``None`` when it can with one."""
        if self.health is None or not self.health.troubled:
            return None
        reason = None
        for credential in self._known(provider):
            name = credential.name if credential else None
            reason = self.health.blocked(provider, model, name)
            if reason is None:
                return None
        return reason

    def shapes(self, info: ModelInfo) -> Sequence[str]:
        """Kinds of structured output that a model keeps to, asked in its provider's dialect."""
        provider = self.providers.get(info.provider)
        dialect = info.protocols[0] if info.protocols else provider.dialect if provider is not None else ""
        accepts = info.accepts or accepts_of(info.provider, info.id, dialect)
        return accepts.structured_output

    def payers(self, info: ModelInfo, now: float) -> Sequence[Payer]:
        """The accounts that can pay for a model's calls: the credentials that nothing speaks against, in their order.

        Keys among themselves are alike, so nothing is to be chosen where there are no others; nor where somebody has stated an order, in which
        the first pays that nothing speaks against.

        :param now: Unix seconds
        """
        provider = self.providers.get(info.provider)
        told = self.credentials.known(info.provider)
        known = told.credentials
        if told.keys_only and (provider is None or not provider.subscription):
            return _KEY_ALONE
        if not known and self.assume_credentials:
            return _KEY_ALONE  # nobody knows who would pay, so nobody's plan tips the scales
        if len(known) < 2:
            return self._alone(info, known[0] if known else None, now)
        # If something speaks against all of them, the first is asked all the same.
        usable = [item for item in known if self._is_open(info, item)] or known[:1]
        if told.ordered:
            return self._alone(info, usable[0], now)
        return [Payer(item.name, shadow_price(self._payment(info, item), now)) for item in usable]

    def _alone(self, info: ModelInfo, credential: Credential | None, now: float) -> Sequence[Payer]:
        payment = self._payment(info, credential)
        return _KEY_ALONE if payment is PAID_KEY else (Payer(None, shadow_price(payment, now)),)

    def _payment(self, info: ModelInfo, credential: Credential | None) -> Payment:
        provider = self.providers.get(info.provider)
        bearer = credential is not None and credential.kind != "api_key"
        if not bearer and (provider is None or not provider.subscription):
            return PAID_KEY
        if self.health is None:
            return Payment(by_plan=True)
        name = credential.name if credential else None
        return Payment(by_plan=True, windows=tuple(self.health.windows_of(info.provider, info.id, name)))

    def _is_open(self, info: ModelInfo, credential: Credential | None) -> bool:
        name = credential.name if credential else None
        return self.health is None or self.health.blocked(info.provider, info.id, name) is None

    def _known(self, provider: str) -> Sequence[Credential | None]:
        return self.credentials.known(provider).credentials or (None,)
