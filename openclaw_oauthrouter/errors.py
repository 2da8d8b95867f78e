"""Everything that can go wrong, as one tree.

    OAuthRouterError
    ├── RequestError                      the client's doing
    │   ├── InvalidRequestError           400
    │   ├── HttpProtocolError             400   (not HTTP as we speak it)
    │   ├── AuthenticationError           401
    │   ├── ForbiddenError                403   (Host, Origin)
    │   ├── ModelNotFoundError            404
    │   ├── NotFoundError                 404
    │   ├── MethodNotAllowedError         405
    │   ├── RequestTimeoutError           408
    │   ├── ConflictError                 409   (somebody else was faster)
    │   ├── UpgradeRequiredError          426   (the other way round: a WebSocket where HTTP is spoken)
    │   ├── RequestTooLargeError          413
    │   ├── LoopError                     508   (a provider's address leads back here)
    │   └── UnsupportedMediaTypeError     415   (a content coding that cannot be unpacked)
    ├── PolicyError                       our rules
    │   ├── ModelNotAllowedError          403
    │   ├── RequestTokensTooHighError     403
    │   ├── UnpricedModelError            403   (a budget in money cannot count it)
    │   ├── BudgetExceededError           429
    │   │   └── CostBudgetExceededError   429   (a cheaper model may still fit)
    │   └── LedgerUnavailableError        503   (spending cannot be counted now, so nothing is spent)
    ├── UpstreamError                     the provider's doing
    │   ├── UpstreamAuthenticationError   503   (the gateway's credential failed, not the client's)
    │   ├── UpstreamBillingError          429
    │   ├── UpstreamRateLimitError        429
    │   ├── UpstreamOverloadedError       503
    │   ├── UpstreamContextError          400
    │   ├── UpstreamModelError            404
    │   ├── UpstreamEndpointError         502   (the address does not serve this: a wrong path, a web page, a proxy)
    │   ├── UpstreamStatusError           what the provider said
    │   ├── UpstreamTimeout               504
    │   ├── UpstreamConnectionError       502
    │   ├── UpstreamProtocolError         502
    │   └── AllUpstreamsFailed            what the first one said
    ├── CredentialError                   503
    │   ├── CredentialNotFound
    │   ├── CredentialExpired
    │   └── RefreshFailed
    ├── GatewayStoppingError              503   (told to stop, and this took too long)
    ├── GatewayBusyError                  503   (our own limits; nobody's failure)
    └── ConfigurationError                the operator's doing; raised at start, never during a request
        ├── StateFolderError              the state folder cannot be written
        └── GatewayUnavailableError       a command needs the running gateway, and cannot reach it

Each class knows the status a client gets, whether another try may help (``retryable``), and how far the fault reaches
(``scope``). One function per dialect renders the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Scope = Literal["request", "model", "credential", "provider"]


class OAuthRouterError(Exception):
    """Base of every error of this package.

    :param message: what happened and what to do next; shown to the client
    :param code: machine-readable reason, overrides the class's own
    :param param: the request field at fault, as the client spelt it
    :param retry_after: seconds until another try makes sense
    """

    status_code: int = 500
    error_type: ClassVar[str] = "server_error"
    default_code: ClassVar[str | None] = None
    default_retry_after: ClassVar[float | None] = None
    retryable: bool = False
    scope: ClassVar[Scope] = "request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code
        self.param = param
        self.retry_after = retry_after if retry_after is not None else self.default_retry_after


class RequestError(OAuthRouterError):
    """The client sent something that cannot be served."""

    status_code = 400
    error_type = "invalid_request_error"


class InvalidRequestError(RequestError):
    """A field is missing, malformed, or has no counterpart at the provider.

    :ivar details: what the client's own code reads in the refusal, where its dialect has a place for it
    """

    details: Mapping[str, object] | None = None


class HttpProtocolError(RequestError):
    """What the client sent is not HTTP, or can be read in two ways."""

    default_code = "bad_request"


class AuthenticationError(RequestError):
    """The local token is missing or wrong."""

    status_code = 401
    error_type = "authentication_error"
    default_code = "invalid_api_key"


class ForbiddenError(RequestError):
    """The Host or Origin is not one this gateway answers to."""

    status_code = 403
    error_type = "permission_error"
    default_code = "forbidden"


class ModelNotFoundError(RequestError):
    """No configured provider serves the model."""

    status_code = 404
    default_code = "model_not_found"


class NotFoundError(RequestError):
    """No such path."""

    status_code = 404
    default_code = "not_found"


class MethodNotAllowedError(RequestError):
    """The path exists, the method does not.

    :ivar allowed: methods the path takes
    """

    status_code = 405
    default_code = "method_not_allowed"
    allowed: tuple[str, ...] = ("POST",)


class UpgradeRequiredError(RequestError):
    """The client asked for a WebSocket on a path that speaks HTTP only."""

    status_code = 426
    default_code = "upgrade_required"


class ConflictError(RequestError):
    """What a change was planned against is not there any more."""

    status_code = 409
    error_type = "conflict_error"
    default_code = "conflict"


class RequestTimeoutError(RequestError):
    """The client was too slow in sending its request."""

    status_code = 408
    default_code = "request_timeout"


class RequestTooLargeError(RequestError):
    """The body exceeds ``server.max_body_bytes``."""

    status_code = 413
    default_code = "request_too_large"


class UnsupportedMediaTypeError(RequestError):
    """The body is packed in a way that cannot be unpacked here."""

    status_code = 415
    default_code = "unsupported_content_encoding"


class LoopError(RequestError):
    """The gateway asks itself: the address of one of its providers leads back to it."""

    status_code = 508
    default_code = "loop_detected"


class PolicyError(OAuthRouterError):
    """A rule of the operator's refuses the request."""

    status_code = 403
    error_type = "spend_limit"


class ModelNotAllowedError(PolicyError):
    """The model is denied or not on the allow-list."""

    default_code = "MODEL_NOT_ALLOWED"


class RequestTokensTooHighError(PolicyError):
    """One request asks for more tokens than a request may."""

    default_code = "REQUEST_TOKENS_TOO_HIGH"


class BudgetExceededError(PolicyError):
    """A budget is used up; ``retry_after`` counts to its reset."""

    status_code = 429
    default_code = "DAILY_BUDGET_EXCEEDED"
    general = True
    """Whether another model would be refused just the same."""


class CostBudgetExceededError(BudgetExceededError):
    """A budget in money is used up; a cheaper model may still fit."""


class UnpricedModelError(PolicyError):
    """Nobody knows what the model costs, and a budget in money has to count it."""

    default_code = "MODEL_UNPRICED"


class LedgerUnavailableError(PolicyError):
    """The ledger cannot be reached, so spending cannot be counted."""

    status_code = 503
    error_type = "server_error"
    default_code = "ledger_unavailable"
    retryable = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider's failure in its own words, for a client that speaks its dialect.

    :ivar body: the whole answer, or the data of the stream's event; free of the request's credentials once ``dialect`` is set
    :ivar status: HTTP status; ``None`` when a stream that had begun said it
    :ivar dialect: name of the dialect the words are in
    :ivar headers: of the answer, lower-case names
    """

    body: bytes
    status: int | None = None
    dialect: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class UpstreamError(OAuthRouterError):
    """A provider failed.

    :param provider: the provider's configured name
    :param upstream_status: HTTP status it answered with; ``None`` when it did not answer
    :param upstream_type: its own word for the error
    :param request_id: its id of the request, for support
    :ivar refusal: what it said, where it said anything
    :ivar blame: whose fault it is, see ``canonical.refusals.Blame``; ``None`` when nobody has looked yet
    """

    status_code = 502
    retryable = True
    scope: ClassVar[Scope] = "provider"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        provider: str = "",
        upstream_status: int | None = None,
        upstream_type: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, param=param, retry_after=retry_after)
        self.provider = provider
        self.upstream_status = upstream_status
        self.upstream_type = upstream_type
        self.request_id = request_id
        self.refusal: Refusal | None = None
        self.blame: str | None = None


class UpstreamAuthenticationError(UpstreamError):
    """The provider refused the gateway's credential (401, 403). Somebody has to renew it first: see ``CredentialNotFound``."""

    status_code = 503
    default_code = "upstream_authentication"
    default_retry_after = 300.0
    retryable = False
    scope = "credential"


class UpstreamBillingError(UpstreamError):
    """Credit or plan usage is used up."""

    status_code = 429
    error_type = "insufficient_quota"
    default_code = "upstream_billing"
    scope = "credential"


class UpstreamRateLimitError(UpstreamError):
    """The provider limits the rate; ``retry_after`` is its own figure."""

    status_code = 429
    error_type = "rate_limit_error"
    default_code = "rate_limit_exceeded"
    scope = "credential"


class UpstreamOverloadedError(UpstreamError):
    """The provider is overloaded (503, 529)."""

    status_code = 503
    default_code = "overloaded"


class UpstreamContextError(UpstreamError):
    """The prompt does not fit the model's context window."""

    status_code = 400
    error_type = "invalid_request_error"
    default_code = "context_length_exceeded"
    retryable = False
    scope = "model"


class UpstreamModelError(UpstreamError):
    """The provider does not know the model, or has retired it."""

    status_code = 404
    error_type = "invalid_request_error"
    default_code = "model_not_found"
    retryable = False
    scope = "model"


class UpstreamEndpointError(UpstreamError):
    """The provider's address does not serve what it was asked for: a wrong or moved path, a web page, a proxy on the way."""

    default_code = "upstream_endpoint"
    retryable = False


class UpstreamStatusError(UpstreamError):
    """Any other refusal; the status is the provider's own."""

    def __init__(self, message: str, *, status_code: int, code: str | None = None, **details: object) -> None:
        super().__init__(message, code=code, upstream_status=status_code, **details)  # type: ignore[arg-type]
        self.status_code = status_code
        self.retryable = status_code >= 500
        if status_code < 500:
            self.error_type = "invalid_request_error"  # type: ignore[misc]


class UpstreamTimeout(UpstreamError):
    """The provider said nothing within a time limit."""

    status_code = 504
    default_code = "upstream_timeout"


class UpstreamConnectionError(UpstreamError):
    """The provider could not be reached, or dropped the connection."""

    default_code = "upstream_connection"


class UpstreamProtocolError(UpstreamError):
    """The provider sent what its own protocol forbids."""

    default_code = "upstream_protocol"


class AllUpstreamsFailed(UpstreamError):
    """Every candidate of the route failed; leads with what stopped the first of them, and carries its status and advice.

    :param stops: provider and error, in the order of the route
    :param deciding: whose status counts; the first error's when absent
    """

    def __init__(self, stops: Sequence[tuple[str, OAuthRouterError]], deciding: OAuthRouterError | None = None) -> None:
        lead = deciding or stops[0][1]
        told = [f"{provider}: {error.message}" for provider, error in stops]
        waits = [error.retry_after for _, error in stops if error.retry_after is not None] if lead.retryable else []
        super().__init__(
            f"{told[0]} (also tried: {'; '.join(told[1:])})",
            code=lead.code,
            param=lead.param,
            retry_after=min(waits, default=lead.retry_after),
            provider=stops[0][0],
            upstream_status=getattr(lead, "upstream_status", None),
            request_id=getattr(lead, "request_id", None),
        )
        self.failures = tuple(error for _, error in stops)
        # The gateway's own credential is no business of a client's, whichever call of the route it failed.
        self.refusal = None if isinstance(lead, UpstreamAuthenticationError) else getattr(lead, "refusal", None)
        self.status_code = lead.status_code
        self.retryable = lead.retryable
        self.error_type = lead.error_type  # type: ignore[misc]


class CredentialError(OAuthRouterError):
    """The gateway has no usable credential for a provider."""

    status_code = 503
    default_code = "no_credential"
    scope = "credential"


class CredentialNotFound(CredentialError):
    """No source holds a credential of the provider.

    Somebody has to add one first. Told to wait this long, OpenClaw says so at once instead of trying again for over a minute.
    """

    default_retry_after = 300.0


class CredentialExpired(CredentialError):
    """The credential has expired and somebody else has to renew it."""

    default_code = "credential_expired"


class RefreshFailed(CredentialError):
    """The token endpoint refused or did not answer."""

    default_code = "refresh_failed"


class GatewayBusyError(OAuthRouterError):
    """A limit of the gateway's own is reached; no provider is to blame."""

    status_code = 503
    default_code = "gateway_busy"
    default_retry_after = 1.0
    retryable = True


class GatewayStoppingError(OAuthRouterError):
    """The gateway was told to stop and the answer took longer than it may then."""

    status_code = 503
    default_code = "gateway_stopping"
    default_retry_after = 1.0
    retryable = True


class ConfigurationError(OAuthRouterError):
    """A setting, plugin or file is wrong; names the key, the value and what is allowed.

    :param advice: a command that helps, without quotes; shown to the operator as ``try: …``
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class StateFolderError(ConfigurationError):
    """The state folder cannot be written."""


class DamagedLedgerError(ConfigurationError):
    """The spend ledger's file is not what it was."""


class GatewayUnavailableError(ConfigurationError):
    """A command needs the running gateway, and none answers, or not to this command's token. Nothing is wrong with the command."""
