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
    passed_over: list[Candidate] = []
    for candidate in decision.candidates:
        if candidate.only_on and not passed_over:
            continue  # only a failure leads there, or a model that is left alone
        refusal = _resting(failover, candidate, key) or await _against(failover, request, candidate, client, key)
        if refusal is None:
            return _with_first(decision, candidate, refused)
        refused[candidate.info.name] = refusal
        if not isinstance(refusal, PolicyError):
            passed_over.append(candidate)
        elif failover.spend.is_final(refusal):
            break
    # Everything else is left alone: the first is asked all the same, unless its provider asked for that.
    for candidate in passed_over:
        if not all(_waits(failover, candidate, key)) and await _against(failover, request, candidate, client, key) is None:
            return _with_first(decision, candidate, {})
    if isinstance(refusal, PolicyError):
        for candidate in failover.spend.cheaper(refusal, decision.candidates):
            if await _against(failover, request, candidate, client, key) is None:
                return changed(_with_first(decision, candidate, refused), downgraded=True)
    return Foreseen(_without(decision, refused), None, next(iter(refused.values()), None))


async def _against(
    failover: Failover, request: ChatRequest, candidate: Candidate, client: str, key: str | None
) -> OAuthRouterError | None:
    """What budgets and lists say of a call with the credential that would be tried first."""
    info, health = candidate.info, failover.health
    credentials = _credentials(failover, candidate, key)
    open_ = [one for one in credentials if health.blocked(info.provider, info.id, one.name if one else None) is None]
    first = (open_ or credentials)[0]
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


def _resting(failover: Failover, candidate: Candidate, key: str | None) -> OAuthRouterError | None:
    """What keeps a candidate from being called with any credential. One that the user chose is kept back only by what its provider told."""
    info, health = candidate.info, failover.health
    names = [one.name if one else None for one in _credentials(failover, candidate, key)]
    if any(health.blocked(info.provider, info.id, name) is None for name in names):
        return None
    told = _waits(failover, candidate, key)
    if candidate.tier is None and not all(
        wait or health.exhausted(info.provider, info.id, name) for wait, name in zip(told, names, strict=True)
    ):
        return None
    return told[0] or health.standing(info.provider, info.id, names[0])


def _waits(failover: Failover, candidate: Candidate, key: str | None) -> list[OAuthRouterError | None]:
    """For each credential, the wait that the provider itself asked for."""
    info = candidate.info
    names = [one.name if one else None for one in _credentials(failover, candidate, key)]
    return [failover.health.told(info.provider, info.id, name) for name in names]


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
