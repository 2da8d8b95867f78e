"""Whom a request would really be sent to: a route, less what budgets, lists and running waits refuse. Nothing is sent, set aside or renewed."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate, RoutingDecision, SkippedCandidate
from openclaw_oauthrouter.canonical.value import changed, value
from openclaw_oauthrouter.errors import OAuthRouterError, PolicyError
from openclaw_oauthrouter.upstream.failover import Failover, by_sum


@value(frozen=True, slots=True)
class Foreseen:
    """What would become of a decision.

    :ivar decision: with the candidate first that would be asked, and those refused among the skipped
    :ivar first: that candidate; ``None`` where nobody would be asked
    :ivar refusal: what stopped the candidate decided for; ``None`` where nothing does
    :ivar downgraded: a cheaper one is asked because money is short
    """

    decision: RoutingDecision
    first: Candidate | None
    refusal: OAuthRouterError | None = None
    downgraded: bool = False


async def foresee(failover: Failover, request: ChatRequest, decision: RoutingDecision, client: str, key: str | None) -> Foreseen:
    """Ask the rules in the order in which a walk along the route would meet them.

    :param client: whose budgets count
    :param key: of the conversation
    """
    refused: dict[str, OAuthRouterError] = {}
    refusal: OAuthRouterError | None = None
    for candidate in decision.candidates:
        if candidate.only_on:
            continue  # only a failure leads there
        refusal = await _against(failover, request, candidate, client, key)
        if refusal is None:
            return _with_first(decision, candidate, refused)
        refused[candidate.info.name] = refusal
        if isinstance(refusal, PolicyError) and failover.spend.is_final(refusal):
            break
    if isinstance(refusal, PolicyError):
        for candidate in failover.spend.cheaper(refusal, decision.candidates):
            if await _against(failover, request, candidate, client, key) is None:
                return changed(_with_first(decision, candidate, refused), downgraded=True)
    return Foreseen(_without(decision, refused), None, next(iter(refused.values()), None))


async def _against(
    failover: Failover, request: ChatRequest, candidate: Candidate, client: str, key: str | None
) -> OAuthRouterError | None:
    """The first reason not to ask a candidate that can be known beforehand."""
    info, health = candidate.info, failover.health
    credentials = _credentials(failover, candidate, key)
    waits = [health.told(info.provider, info.id, one.name if one else None) for one in credentials]
    free = [one for one, wait in zip(credentials, waits, strict=True) if wait is None]
    if not free:
        return waits[0]
    open_ = [one for one in free if health.blocked(info.provider, info.id, one.name if one else None) is None]
    first = (open_ or free)[0]
    by_plan = failover.providers[info.provider].subscription or (first is not None and first.kind != "api_key")
    return await failover.spend.refusal(
        candidate,
        failover.spend.estimate(request, info),
        client,
        by_plan=by_plan,
        conversation=key,
        streams=request.stream,
        stated=request.max_output_tokens is not None,
    )


def _credentials(failover: Failover, candidate: Candidate, key: str | None) -> Sequence[Credential | None]:
    held: Sequence[Credential | None] = failover.credentials.remembered(candidate.info.provider, key) or (None,)
    return by_sum(candidate.accounts, held) if candidate.accounts else held


def _with_first(decision: RoutingDecision, first: Candidate, refused: dict[str, OAuthRouterError]) -> Foreseen:
    if not refused:
        return Foreseen(decision, first)
    rest = [one for one in decision.candidates if one is not first and one.info.name not in refused]
    kept = changed(_without(decision, refused), model=first.info.name, candidates=(first, *rest))
    return Foreseen(kept, first, next(iter(refused.values())))


def _without(decision: RoutingDecision, refused: dict[str, OAuthRouterError]) -> RoutingDecision:
    skipped = [SkippedCandidate(name, error.message) for name, error in refused.items()]
    rest = tuple([one for one in decision.candidates if one.info.name not in refused])
    return changed(decision, candidates=rest, skipped=(*decision.skipped, *skipped))
