"""Which of a provider's accounts pays: the sum decides that too, and a prompt's cache belongs to an account."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from openclaw_oauthrouter.accounts import Accounts
from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo, Payer, Payment, PlanWindow, Price, RouteHints, Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.credentials.chain import KnownCredentials
from openclaw_oauthrouter.errors import UpstreamRateLimitError
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.routing.cost import HIGHEST_SHADOW, IDLE_SHADOW, UNKNOWN_SHADOW
from tests.unit.routing.world import FakeProvider, World, asking

NOW = 1_763_800_000.0
HOUR = 3600.0
KEY = Payment()
OPUS = ModelInfo("anthropic", "claude-opus-5-5")


def plan(used: float, gone: float = 0.5) -> Payment:
    return Payment(by_plan=True, windows=(PlanWindow("5h", used, 5 * HOUR, NOW + (1 - gone) * 5 * HOUR),))


def chosen(world: World, conversation: str | None = None) -> Candidate:
    return world.router().route(asking(), RouteHints(), conversation).decision.candidates[0]


# ------------------------------------------------------------------ the sum


@pytest.mark.parametrize(
    ("accounts", "order"),
    [
        ({"a": plan(0.97), "b": plan(0.1)}, ("b", "a")),
        ({"a": plan(0.1), "b": plan(0.97)}, ("a", "b")),
        ({"a": plan(0.5), "b": plan(0.5)}, ("a", "b")),
        ({"a": plan(0.9, 0.1), "b": plan(0.9, 0.95)}, ("b", "a")),
        ({"key": KEY, "a": plan(0.03)}, ("a", "key")),
        ({"key": KEY, "a": plan(0.99), "b": plan(0.3)}, ("b", "a", "key")),
        ({"a": Payment(by_plan=True), "b": plan(0.9)}, ("a", "b")),
        ({"b": plan(0.97)}, ("b",)),
    ],
    ids=str,
)
def test_choosing_account_whose_windows_are_worth_least_comes_first(accounts: dict[str, Payment], order: tuple[str, ...]) -> None:
    router = World(accounts={"alpha": accounts}, tier=Tier.COMPLEX, now=NOW).router()
    candidates = router.route(asking(), RouteHints(), None).decision.candidates
    assert candidates[0].info.id == "large"
    assert [name for one in candidates if one.info.id == "large" for name in one.accounts] == list(order)
    assert all(one.cost.total == sum(one.cost[:5]) for one in candidates if one.cost)


def test_choosing_account_is_not_named_where_there_is_nothing_to_choose() -> None:
    assert chosen(World(payments={"alpha": plan(0.5)}, tier=Tier.COMPLEX, now=NOW)).accounts == ()


@pytest.mark.parametrize(
    ("used", "account"),
    [
        ((0.55, 0.5), "a"),  # the prompt lies in its cache
        ((0.6, 0.1), "b"),  # worth more than that
        ((0.97, 0.97), "a"),
    ],
)
def test_choosing_account_that_holds_the_prompt_in_its_cache_is_left_when_its_window_is_worth_more(
    used: tuple[float, float], account: str
) -> None:
    accounts = {"a": plan(used[0]), "b": plan(used[1])}
    world = World(accounts={"alpha": accounts}, tier=Tier.COMPLEX, tokens=50_000, now=NOW)
    router = world.router()
    caches = {"alpha/large": CachedPrompt(48_000, NOW, credential="a")}
    router.conversations.remember("c", Conversation(Tier.COMPLEX, "alpha/large", NOW, caches))
    first = router.route(asking(), RouteHints(), "c").decision.candidates[0]
    assert first.accounts[0] == account
    assert first.cost is not None
    assert first.cost.cached_tokens == (48_000 if account == "a" else 0)


def test_choosing_account_that_answered_is_the_one_whose_cache_is_warm() -> None:
    world = World(accounts={"alpha": {"a": plan(0.5), "b": plan(0.5)}}, tier=Tier.COMPLEX, tokens=50_000, now=NOW)
    router = world.router()
    decision = router.route(asking(), RouteHints(), "c").decision
    router.answered("c", decision, decision.candidates[0].info, Usage(50_000, 10, 0, 49_000), "b")
    assert router.route(asking(), RouteHints(), "c").decision.candidates[0].accounts == ("b", "a")


@pytest.mark.parametrize(
    ("other", "stops"),
    [
        (plan(0.5), ["plan/m b", "rival/m", "plan/m a key"]),
        (plan(0.1), ["plan/m b", "rival/m", "plan/m a key"]),
        (plan(0.99), ["plan/m b a", "rival/m", "plan/m key"]),
        (KEY, ["plan/m b a key", "rival/m"]),
    ],
)
def test_choosing_next_stop_is_what_costs_next_to_least_whatever_the_model(other: Payment, stops: list[str]) -> None:
    info, rival = (ModelInfo(name, "m", 200_000, 8000, price=Price(2, 10)) for name in ("plan", "rival"))
    world = World(
        providers={"plan": FakeProvider("plan", (info,)), "rival": FakeProvider("rival", (rival,))},
        usable={"plan", "rival"},
        settings={"tiers": {tier: {"primary": "plan/m", "fallback": ["rival/m"]} for tier in Tier}},
        payments={"rival": other},
        accounts={"plan": {"key": KEY, "a": plan(0.98), "b": plan(0.02)}},
        now=NOW,
    )
    decision = world.router().route(asking(), RouteHints(), None).decision
    assert [" ".join((one.info.name, *one.accounts)) for one in decision.candidates] == stops
    totals = [one.cost.total for one in decision.candidates if one.cost]
    assert totals == sorted(totals)


@pytest.mark.parametrize("place", [1, 5, 6, 9])
@pytest.mark.parametrize(("windows", "first"), [(plan(0.03), "plan/m"), (plan(0.99), "plan/m"), (KEY, "keys/m0")])
def test_choosing_plan_of_the_tier_gets_a_sum_wherever_it_stands(place: int, windows: Payment, first: str) -> None:
    keys = [ModelInfo("keys", f"m{number}", 200_000, 8000, price=Price(2, 10)) for number in range(10)]
    plans = ModelInfo("plan", "m", 200_000, 8000, price=Price(2, 10))
    names = [info.name for info in keys]
    names.insert(place, "plan/m")
    world = World(
        providers={"keys": FakeProvider("keys", keys), "plan": FakeProvider("plan", (plans,))},
        usable={"keys", "plan"},
        settings={"tiers": {tier: {"primary": names[0], "fallback": names[1:]} for tier in Tier}},
        accounts={"plan": {"a": windows}},
        now=NOW,
    )
    assert chosen(world).info.name == first


@pytest.mark.parametrize("credential", [None, "store:anthropic:a"])
def test_conversation_cache_keeps_its_account_on_the_way_to_other_gateways(credential: str | None) -> None:
    known = Conversation(Tier.COMPLEX, "alpha/large", NOW, {"alpha/large": CachedPrompt(9, NOW, 300.0, credential)})
    assert Conversation.from_json(known.as_json()) == known
    older = known.as_json()
    older["caches"] = {"alpha/large": [9, NOW, 300.0]}
    assert Conversation.from_json(older).caches["alpha/large"] == CachedPrompt(9, NOW, 300.0)


# ------------------------------------------------------------------ who can pay


def credential(name: str, kind: CredentialKind = "token") -> Credential:
    return Credential(name, "anthropic", kind, Secret(name), "store")


class Known:
    """Credentials as they lie there."""

    def __init__(self, *credentials: Credential, ordered: bool = False) -> None:
        self._known = KnownCredentials(bool(credentials), credentials, ordered)

    def known(self, provider: str) -> KnownCredentials:
        return self._known


def accounts_of(*credentials: Credential, ordered: bool = False) -> tuple[Accounts, HealthRegistry]:
    health = HealthRegistry(lambda: NOW)
    providers = {"anthropic": SimpleNamespace(subscription=False)}
    return Accounts(providers, Known(*credentials, ordered=ordered), health), health  # type: ignore[arg-type]


def test_accounts_keys_among_themselves_are_alike() -> None:
    accounts, _ = accounts_of(credential("k", "api_key"), credential("l", "api_key"))
    assert list(accounts.payers(OPUS, NOW)) == [Payer(None, 1.0)]


def test_accounts_single_plan_is_nothing_to_choose_from() -> None:
    accounts, _ = accounts_of(credential("a"))
    assert list(accounts.payers(OPUS, NOW)) == [Payer(None, UNKNOWN_SHADOW)]


def test_accounts_each_has_windows_of_its_own_and_those_out_of_order_are_left_out() -> None:
    accounts, health = accounts_of(credential("k", "api_key"), credential("a"), credential("b"), credential("c"))
    unified = "anthropic-ratelimit-unified-5h"
    health.observe_headers("anthropic", "a", {f"{unified}-utilization": "0.99", f"{unified}-reset": "9000"})
    health.observe_headers("anthropic", "b", {f"{unified}-utilization": "0.1", f"{unified}-reset": "9000"})
    health.failed("anthropic", OPUS.id, "c", UpstreamRateLimitError("slow down"))
    payers = list(accounts.payers(OPUS, NOW))
    assert payers == [Payer("k", 1.0), Payer("a", HIGHEST_SHADOW), Payer("b", IDLE_SHADOW)]


def test_accounts_first_is_asked_if_something_speaks_against_all() -> None:
    accounts, health = accounts_of(credential("a"), credential("b"))
    for name in ("a", "b"):
        health.failed("anthropic", OPUS.id, name, UpstreamRateLimitError("slow down"))
    assert list(accounts.payers(OPUS, NOW)) == [Payer("a", UNKNOWN_SHADOW)]


def test_accounts_stated_order_is_obeyed() -> None:
    accounts, health = accounts_of(credential("k", "api_key"), credential("a"), ordered=True)
    assert list(accounts.payers(OPUS, NOW)) == [Payer(None, 1.0)]
    health.failed("anthropic", OPUS.id, "k", UpstreamRateLimitError("slow down"))
    assert list(accounts.payers(OPUS, NOW)) == [Payer(None, UNKNOWN_SHADOW)]
