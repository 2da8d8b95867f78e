"""What each failure of an upstream means, as one table; ``docs/failures.md`` shows it, a test keeps the two equal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

from openclaw_oauthrouter.canonical.failure import Action, Cooldown, FailureRule
from openclaw_oauthrouter.canonical.refusals import Statement, blame_of
from openclaw_oauthrouter.errors import UpstreamError

FAILURE_RULES: tuple[FailureRule, ...] = (
    FailureRule(
        name="tls",
        happened="the provider's certificate is not trusted, or the TLS handshake failed",
        error="UpstreamConnectionError",
        words=("certificate", "[ssl:", "handshake"),
        scope="provider",
        actions=("next_candidate",),
        cooldown=Cooldown(60, 1800),
        client_gets="502 upstream_unreachable",
    ),
    FailureRule(
        name="unreachable",
        happened="no connection: it was refused, the host does not exist, or connecting took too long",
        error="UpstreamConnectionError",
        codes=("upstream_unreachable",),
        scope="provider",
        actions=("retry", "next_candidate"),
        cooldown=Cooldown(10, 300),
        client_gets="502 upstream_unreachable",
    ),
    FailureRule(
        name="connection-lost",
        happened="the connection ended before or during the answer",
        error="UpstreamConnectionError",
        scope="provider",
        actions=("retry", "next_candidate"),
        cooldown=Cooldown(5, 300),
        client_gets="502 upstream_connection",
    ),
    FailureRule(
        name="time-out",
        happened="no answer in time, or a pause that was too long within one; not repeated, because it may have been billed",
        error="UpstreamTimeout",
        scope="model",
        actions=("next_candidate",),
        cooldown=Cooldown(30, 1800),
        client_gets="504 upstream_timeout",
    ),
    FailureRule(
        name="context-overflow",
        happened="the prompt does not fit the model's context window",
        error="UpstreamContextError",
        scope="request",
        actions=("larger_candidate",),
        cooldown=None,
        client_gets="400 context_length_exceeded",
    ),
    FailureRule(
        name="out-of-extra-usage",
        happened="a plan's window and its extra usage are used up, or a limit set in the account is reached",
        error="UpstreamBillingError",
        words=("extra usage", "usage limit"),
        scope="credential",
        actions=("next_credential", "next_candidate"),
        cooldown=Cooldown(300, 3600, "retry_after"),
        client_gets="429 upstream_billing, Retry-After",
    ),
    FailureRule(
        name="billing",
        happened="no credit left, a hard spending limit, a plan without API use",
        error="UpstreamBillingError",
        scope="credential",
        actions=("next_credential", "next_candidate"),
        cooldown=Cooldown(600, 21_600, "retry_after"),
        client_gets="429 upstream_billing, Retry-After",
    ),
    FailureRule(
        name="model-not-permitted",
        happened="the account may not use this model, or not yet",
        error="UpstreamAuthenticationError",
        blames=("access",),
        scope="model",
        actions=("next_credential", "next_candidate"),
        cooldown=Cooldown(300, 3600),
        client_gets="503 upstream_permission",
    ),
    FailureRule(
        name="forbidden",
        happened="the account is closed, unverified or in an unsupported country, or the credential lacks a permission",
        error="UpstreamAuthenticationError",
        blames=("account",),
        scope="credential",
        actions=("next_credential", "next_candidate"),
        cooldown=Cooldown(60, 1800),
        client_gets="503 upstream_permission",
    ),
    FailureRule(
        name="unauthorized",
        happened="the credential is wrong, expired or revoked",
        error="UpstreamAuthenticationError",
        scope="credential",
        actions=("renew", "next_credential", "next_candidate"),
        cooldown=Cooldown(60, 1800),
        client_gets="503 upstream_authentication",
    ),
    FailureRule(
        name="model-gone",
        happened="the provider does not know the model, or has retired it",
        error="UpstreamModelError",
        scope="model",
        actions=("next_candidate",),
        cooldown=Cooldown(60, 3600),
        client_gets="404 model_not_found",
    ),
    FailureRule(
        name="endpoint",
        happened="nothing suitable at this address: a wrong or moved path, a web page, a proxy, or a redirect",
        error="UpstreamEndpointError",
        scope="provider",
        actions=("next_candidate",),
        cooldown=Cooldown(60, 1800),
        client_gets="502 upstream_endpoint",
    ),
    FailureRule(
        name="plan-window",
        happened="a plan's 5-hour or weekly window is used up",
        error="UpstreamRateLimitError",
        codes=("usage_limit_reached",),
        scope="credential",
        actions=("next_credential", "next_candidate"),
        cooldown=Cooldown(300, 3600, "retry_after"),
        client_gets="429 usage_limit_reached, Retry-After",
    ),
    FailureRule(
        name="more-than-a-minute-holds",
        happened="this one request is larger than all that the account may send in a minute; smaller ones are not in question",
        error="UpstreamRateLimitError",
        words=("request too large for", "request body too large for"),
        scope="request",
        actions=("next_credential", "next_candidate"),
        cooldown=None,
        client_gets="429 rate_limit_exceeded",
    ),
    FailureRule(
        name="model-rate-limit",
        happened="too many requests or tokens a minute, counted for one model",
        error="UpstreamRateLimitError",
        words=("rate limit reached for",),
        scope="model",
        actions=("next_credential", "next_candidate", "retry"),
        cooldown=Cooldown(15, 600, "retry_after"),
        client_gets="429 rate_limit_exceeded, Retry-After",
    ),
    FailureRule(
        name="rate-limit",
        happened="too many requests or tokens a minute",
        error="UpstreamRateLimitError",
        scope="credential",
        actions=("next_credential", "next_candidate", "retry"),
        cooldown=Cooldown(15, 600, "retry_after"),
        client_gets="429 rate_limit_exceeded, Retry-After",
    ),
    FailureRule(
        name="overloaded",
        happened="the provider is overloaded, or the model is still loading or has crashed",
        error="UpstreamOverloadedError",
        scope="model",
        actions=("next_candidate", "retry"),
        cooldown=Cooldown(15, 600, "retry_after"),
        client_gets="503 overloaded",
    ),
    FailureRule(
        name="endless-answer",
        happened="an answer that does not end: it repeats itself, or is longer than any model can write; not repeated, because it was billed",
        error="UpstreamProtocolError",
        codes=("endless_answer",),
        scope="model",
        actions=("next_candidate",),
        cooldown=Cooldown(30, 1800),
        client_gets="502 endless_answer",
    ),
    FailureRule(
        name="empty-answer",
        happened="an answer without any content, or without an end",
        error="UpstreamProtocolError",
        words=("empty", "incomplete", "no choice"),
        scope="request",
        actions=("retry", "next_candidate"),
        cooldown=None,
        client_gets="502 upstream_protocol",
    ),
    FailureRule(
        name="malformed",
        happened="an answer or stream that breaks the provider's own protocol",
        error="UpstreamProtocolError",
        scope="model",
        actions=("retry", "next_candidate"),
        cooldown=Cooldown(10, 300),
        client_gets="502 upstream_protocol",
    ),
    FailureRule(
        name="too-large",
        happened="the body is too large for the provider",
        error="UpstreamStatusError",
        statuses=(413,),
        scope="request",
        actions=("next_candidate",),
        cooldown=None,
        client_gets="413 request_too_large",
    ),
    FailureRule(
        name="conflict",
        happened="a temporary conflict (409, 425)",
        error="UpstreamStatusError",
        statuses=(409, 425),
        scope="request",
        actions=("retry", "next_candidate"),
        cooldown=None,
        client_gets="the provider's status",
    ),
    FailureRule(
        name="server-error",
        happened="the provider failed (5xx, or an error event in a 200 answer)",
        error="UpstreamStatusError",
        statuses=(200, *range(500, 600)),
        scope="model",
        actions=("retry", "next_candidate"),
        cooldown=Cooldown(10, 600, "retry_after"),
        client_gets="the provider's status",
    ),
    FailureRule(
        name="cannot-do-this",
        happened="the model cannot do what the request asks: a parameter, tools, images",
        error="UpstreamStatusError",
        blames=("ability",),
        scope="request",
        actions=("next_candidate",),
        cooldown=None,
        client_gets="the provider's status and words",
    ),
    FailureRule(
        name="refused",
        happened="any other refusal that points at the request's content",
        error="UpstreamStatusError",
        blames=("request",),
        scope="request",
        actions=(),
        cooldown=None,
        client_gets="the provider's status and words",
    ),
    FailureRule(
        name="unsaid",
        happened="a refusal (4xx) that does not say whose fault it is",
        error="UpstreamStatusError",
        scope="request",
        actions=("next_candidate",),
        cooldown=None,
        client_gets="the provider's status and words",
    ),
    FailureRule(
        name="unknown",
        happened="anything else",
        scope="request",
        actions=("next_candidate",),
        cooldown=None,
        client_gets="502",
    ),
)


REPEATED = FailureRule(
    name="repeated",
    happened="the same refusal for different requests, so it is not the request's fault",
    scope="model",
    actions=("next_candidate",),
    cooldown=Cooldown(30, 600),
    client_gets="the provider's status and words",
)
"""What a refusal of the rows that leave nothing alone becomes when it comes back word for word for another request."""


class FailureTable:
    """The table, with a plugin's rows before the built-in ones.

    :param extra: rows of plugins; the same ``name`` replaces a built-in row
    """

    def __init__(self, extra: Sequence[FailureRule] = ()) -> None:
        extra = tuple(map(_in_present_words, extra))
        replaced = {rule.name for rule in extra}
        self.rules = (*extra, *(rule for rule in FAILURE_RULES if rule.name not in replaced))

    def rule_for(self, error: UpstreamError) -> FailureRule:
        """The first row that matches; the last built-in row matches anything."""
        return _first(self.rules, error)


def _in_present_words(rule: FailureRule) -> FailureRule:
    """A plugin's row, its actions under their present names; the former ones go with the next release."""
    if not _FORMER_ACTIONS.keys() & set(rule.actions):
        return rule
    warnings.warn(
        f"the actions of failure rule {rule.name!r} have other names now: {_FORMER_ACTIONS}", DeprecationWarning, stacklevel=2
    )
    return replace(rule, actions=tuple(_FORMER_ACTIONS.get(action, action) for action in rule.actions))


_FORMER_ACTIONS: dict[str, Action] = {"next_hop": "next_candidate", "larger_hop": "larger_candidate"}


def classify_failure(error: UpstreamError) -> FailureRule:
    """The built-in row for an error."""
    return _first(FAILURE_RULES, error)


def _first(rules: Sequence[FailureRule], error: UpstreamError) -> FailureRule:
    if error.blame is None and error.upstream_status is not None:
        # A dialect of somebody else's has not looked whose fault it is.
        error.blame = blame_of(
            Statement(error.upstream_status, error.message, type=error.upstream_type, code=error.code, param=error.param)
        )
    return next((rule for rule in rules if rule.matches(error)), FAILURE_RULES[-1])
