"""Order, stickiness, pooling, renewal and explanations of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.config.credentials import CredentialSettings
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.overview import overview
from openclaw_oauthrouter.credentials.profiles import read_store
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError, CredentialExpired, CredentialNotFound

NOW = 1000.0


@dataclass
class Shelf:
    """A source that holds what a test puts there."""

    name: str
    items: list[Credential] = field(default_factory=list)
    error: Exception | None = None

    def find(self, provider: str) -> Sequence[Credential]:
        if self.error is not None:
            raise self.error
        return [item for item in self.items if item.provider == provider]


def credential(name: str, kind: CredentialKind = "api_key", *, secret: str = "", source: str = "store", **extra) -> Credential:
    return Credential(name, "anthropic", kind, Secret(secret or f"secret of {name}"), source, **extra)


def chain_of(*sources: Shelf, **settings) -> CredentialChain:
    return CredentialChain(sources, CredentialSettings(**settings), lambda: NOW)


async def names(chain: CredentialChain, conversation: str | None = None) -> list[str]:
    return [item.name for item in await chain.resolve("anthropic", conversation)]


async def test_sources_are_asked_in_the_configured_order() -> None:
    store, environment = Shelf("store", [credential("a")]), Shelf("environment", [credential("b")])
    assert await names(chain_of(store, environment)) == ["b", "a"]
    assert await names(chain_of(store, environment, order=("store", "environment"))) == ["a", "b"]
    assert await names(chain_of(store, environment, order=("store",))) == ["a"]


async def test_credential_chain_plugins_source_comes_last_unless_ordered_and_may_replace_a_built_in_one() -> None:
    vault, store, ours = Shelf("vault", [credential("v")]), Shelf("store", [credential("a")]), Shelf("store", [credential("b")])
    assert await names(chain_of(vault, store)) == ["a", "v"]
    assert await names(chain_of(vault, store, order=("vault", "store"))) == ["v", "a"]
    assert await names(chain_of(vault, store, order=("store",))) == ["a", "v"]
    assert await names(chain_of(store, ours)) == ["a"]


def test_credential_chain_unknown_source_in_the_order_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'keyring'; known sources: config, environment, .*claude-code, vault"):
        chain_of(Shelf("vault"), order=("store", "keyring"))


async def test_credential_chain_same_secret_or_name_counts_once() -> None:
    store = Shelf(
        "store", [credential("a", secret="x"), credential("b", secret="x"), credential("a", secret="y"), credential("c")]
    )
    assert await names(chain_of(store)) == ["a", "c"]


async def test_credential_chain_second_account_of_a_plan_only_when_pooled() -> None:
    store = Shelf(
        "store",
        [
            credential("plan-1", "oauth", account_id="1"),
            credential("plan-1-again", "oauth", account_id="1"),
            credential("plan-2", "oauth", account_id="2"),
            credential("plan-unknown", "token"),
            credential("key-1"),
            credential("key-2"),
        ],
    )
    assert await names(chain_of(store)) == ["plan-1", "plan-1-again", "key-1", "key-2"]
    assert len(await names(chain_of(store, pool_same_vendor=True))) == 6


async def test_credential_chain_conversation_keeps_its_credential_while_that_is_usable() -> None:
    store = Shelf("store", [credential("a"), credential("b")])
    chain = chain_of(store)
    assert await names(chain, "talk") == ["a", "b"]
    store.items.reverse()
    assert await names(chain, "talk") == ["a", "b"]
    assert await names(chain, "another") == ["b", "a"]
    assert await names(chain) == ["b", "a"]
    store.items = [credential("b")]
    assert await names(chain, "talk") == ["b"]
    store.items = [credential("a"), credential("b")]
    assert await names(chain, "talk") == ["b", "a"]


async def test_credential_chain_longest_unused_conversation_is_forgotten() -> None:
    store = Shelf("store", [credential("a"), credential("b")])
    chain = chain_of(store)
    for number in range(5000):
        await chain.resolve("anthropic", str(number))
    store.items.reverse()
    assert await names(chain, "4999") == ["a", "b"]
    assert await names(chain, "0") == ["b", "a"]


async def test_expired_credentials_are_never_handed_out() -> None:
    store = Shelf("store", [credential("a", "oauth", expires_at=NOW), credential("b", expires_at=NOW + 1)])
    assert await names(chain_of(store)) == ["b"]


async def test_credential_chain_one_broken_source_does_not_take_the_others_down(caplog: pytest.LogCaptureFixture) -> None:
    broken = Shelf("environment", error=RuntimeError("sk-ant-secret in a foreign exception"))
    unreadable = Shelf("openclaw", error=CredentialError("database damaged"))
    chain = chain_of(broken, unreadable, Shelf("store", [credential("a")]))
    assert chain.available("anthropic")
    assert await names(chain) == ["a"]
    assert "RuntimeError" in caplog.text
    assert "sk-ant-secret" not in caplog.text


async def test_credential_chain_nothing_usable_says_all_reasons_and_what_to_do() -> None:
    chain = chain_of(
        Shelf("environment", error=CredentialError("first reason")),
        Shelf("store", error=CredentialExpired("second reason", retry_after=7)),
    )
    assert not chain.available("anthropic")
    with pytest.raises(CredentialExpired, match="first reason; second reason") as caught:
        await chain.resolve("anthropic")
    assert "ANTHROPIC_API_KEY" in str(caught.value)
    assert caught.value.retry_after == 7
    assert caught.value.message == chain.explain("anthropic")
    with pytest.raises(CredentialNotFound, match=r"Set MY_VLLM_API_KEY, or run `openclaw-oauthrouter auth add my-vllm`"):
        await chain_of().resolve("my-vllm")


async def test_after_a_401_only_a_changed_secret_is_tried_again() -> None:
    store = Shelf("store", [credential("a", secret="old")])
    chain = chain_of(store)
    old = (await chain.resolve("anthropic"))[0]
    assert await chain.renew(old) is None
    store.items = [credential("a", secret="new")]
    assert (await chain.renew(old)).secret == Secret("new")
    assert await chain.renew(replace(old, source="gone")) is None
    store.error = CredentialError("unreadable by now")
    assert await chain.renew(old) is None


def test_explain_names_the_credential_in_use() -> None:
    assert chain_of(Shelf("store", [credential("a")])).explain("anthropic") == (
        "provider 'anthropic' authenticates with 'a' (source 'store')"
    )


@pytest.mark.parametrize(
    ("provider", "kind", "advice"),
    [
        ("anthropic", None, "Set ANTHROPIC_OAUTH_TOKEN or ANTHROPIC_API_KEY, or run `openclaw-oauthrouter auth add anthropic`."),
        ("openai-codex", None, "openclaw models auth login --provider openai"),
        ("openai-chatgpt", None, "Sign in with `openclaw-oauthrouter auth login openai`."),
        (
            "work",
            "anthropic",
            "Set WORK_API_KEY, or run `openclaw-oauthrouter auth add work`. Keys are made at https://console.anthropic",
        ),
        ("work", "openai-codex", "It takes a ChatGPT access token."),
        ("work", "openai-compatible", "Set WORK_API_KEY, or run `openclaw-oauthrouter auth add work`."),
    ],
)
def test_credential_chain_every_kind_of_provider_has_its_advice(provider: str, kind: str | None, advice: str) -> None:
    providers = {provider: ProviderSettings(kind=kind)}
    assert advice in CredentialChain([], CredentialSettings(), lambda: NOW, providers).explain(provider)


def test_credential_chain_plugins_source_is_listed_too() -> None:
    vault = Shelf("vault", [credential("a", "token", source="vault", expires_at=NOW + 9)])
    broken = Shelf("safe", error=CredentialError("locked"))
    rows = list(overview([vault, broken], ["anthropic", "openai"], NOW))
    assert [(row.source, row.name, row.kind, row.expires_at, row.usable, row.reason) for row in rows] == [
        ("vault", "a", "token", NOW + 9, True, ""),
        ("safe", "", None, None, False, "locked"),
    ]


# ------------------------------------------------------------------ what routing goes by


async def test_known_credentials_are_looked_up_once_a_second() -> None:
    now = [NOW]
    store = Shelf("store")
    chain = CredentialChain([store], CredentialSettings(), lambda: now[0])
    assert not chain.known("anthropic").usable
    store.items.append(credential("a"))
    now[0] += 0.9
    assert not chain.known("anthropic").usable
    now[0] += 0.2
    assert [item.name for item in chain.known("anthropic").credentials] == ["a"]
    store.items.clear()
    assert chain.known("anthropic").usable
    now[0] -= 100  # a clock set back does not make the memory eternal
    assert not chain.known("anthropic").usable


async def test_known_credentials_are_renewed_by_a_401_and_by_resolving() -> None:
    store = Shelf("store", [credential("a")])
    chain = chain_of(store)
    assert chain.known("anthropic").usable
    store.items.clear()
    await chain.renew(credential("a"))
    assert not chain.known("anthropic").usable
    store.items.append(credential("b"))
    assert await names(chain) == ["b"]
    assert [item.name for item in chain.known("anthropic").credentials] == ["b"]
    store.items.clear()
    with pytest.raises(CredentialError):
        await chain.resolve("anthropic")
    assert not chain.known("anthropic").usable


async def test_resolve_looks_at_the_sources_at_most_once_a_while_and_at_once_after_a_401() -> None:
    now = [NOW]
    store = Shelf("store", [credential("a")])
    chain = CredentialChain([store], CredentialSettings(), lambda: now[0], remember_seconds=1.0)
    assert await names(chain) == ["a"]
    store.items[:] = [credential("b")]
    assert await names(chain) == ["a"]
    await chain.renew(credential("a"))
    assert await names(chain) == ["b"]
    store.items[:] = [credential("c")]
    now[0] += 1
    assert await names(chain) == ["c"]


async def test_resolve_asks_again_when_a_credential_ends_soon() -> None:
    store = Shelf("store", [replace(credential("a"), expires_at=NOW + 60)])
    chain = CredentialChain([store], CredentialSettings(), lambda: NOW, remember_seconds=1.0)
    assert await names(chain) == ["a"]
    store.items[:] = [credential("renewed")]
    assert await names(chain) == ["renewed"]


@pytest.mark.parametrize(
    ("ends_in", "later", "remembered"),
    [(None, 0.9, True), (None, 1.0, False), (None, -0.1, False), (900.5, 0.4, True), (900.5, 0.5, False), (60, 0.0, False)],
)
async def test_remembered_is_what_resolve_said_while_that_is_good(ends_in, later: float, remembered: bool) -> None:
    now = [NOW]
    held = replace(credential("a"), expires_at=None if ends_in is None else NOW + ends_in)
    chain = CredentialChain([Shelf("store", [held])], CredentialSettings(), lambda: now[0], remember_seconds=1.0)
    assert not chain.remembered("anthropic", "talk")
    said = await chain.resolve("anthropic", "talk")
    now[0] += later
    assert list(chain.remembered("anthropic", "talk")) == (list(said) if remembered else [])
    await chain.renew(held)
    assert not chain.remembered("anthropic", "talk")


class Listed(Inventory):
    """A source that lists what it holds, and counts how often it is read."""

    name = "store"

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.held: list[Finding] = []
        self.read = 0

    def findings(self) -> Sequence[Finding]:
        self.read += 1
        return self.held


def test_credential_chain_reads_a_source_once_a_second_for_all_providers_that_have_nothing() -> None:
    now = [NOW]
    source = Listed()
    source.held = [Finding("a", "anthropic", "store", "api_key", credential("a"))]
    chain = CredentialChain([source], CredentialSettings(), lambda: now[0])
    assert chain.known("anthropic").usable
    asked = source.read
    assert not any(chain.known(f"provider-{number}").usable for number in range(50))
    assert source.read == asked
    source.held.append(Finding("z", "provider-7", "store", "api_key", replace(credential("z"), provider="provider-7")))
    now[0] += 0.6
    assert not chain.known("provider-99").usable
    now[0] += 0.5
    assert chain.known("provider-7").usable
    assert chain.known("provider-99").usable is False


def test_credential_chain_asks_a_source_that_cannot_be_listed_of_each_provider() -> None:
    source = Shelf("vault", [replace(credential("v"), provider="p")])
    chain = chain_of(source)
    assert not chain.known("q").usable
    assert chain.known("p").usable


@pytest.mark.parametrize(
    ("items", "settings", "stated"),
    [
        ([("k", "store", False), ("a", "environment", False)], {}, False),
        ([("k", "store", False), ("a", "environment", False)], {"order": ("store", "environment")}, True),
        ([("k", "store", False), ("a", "store", False)], {"order": ("store", "environment")}, False),  # says nothing of these two
        ([("k", "store", True), ("a", "environment", False)], {}, True),
        ([("k", "config", False), ("a", "store", False)], {}, True),
        ([("k", "config", False)], {"order": ("config", "store")}, False),
    ],
)
async def test_credential_chain_tells_whether_somebody_has_stated_the_order(
    items: Sequence[tuple[str, str, bool]], settings: dict[str, tuple[str, ...]], stated: bool
) -> None:
    shelves = {source: Shelf(source) for _, source, _ in items}
    for name, source, ordered in items:
        shelves[source].items.append(credential(name, source=source, ordered=ordered))
    chain = chain_of(*shelves.values(), **settings)
    assert chain.known("anthropic").ordered is stated
    await chain.resolve("anthropic")
    assert chain.known("anthropic").ordered is stated


def test_credential_chain_paused_credentials_are_not_known() -> None:
    chain = chain_of(Shelf("store", [credential("a", "token"), credential("k")]), paused=("a",))
    assert [one.name for one in chain.known("anthropic").credentials] == ["k"]


@pytest.mark.parametrize(
    ("state", "ordered"),
    [({}, []), ({"order": {"anthropic": ["k", "gone"]}}, ["k"]), ({"lastGood": {"anthropic": "a"}}, []), ({"order": "k"}, [])],
)
def test_profiles_that_a_store_orders_say_so(state: dict[str, object], ordered: list[str]) -> None:
    profiles = {name: {"provider": "anthropic", "type": "api_key", "key": f"sk-ant-api03-{name}"} for name in ("a", "k")}
    found = [profile.finding("openclaw").credential for profile in read_store({"profiles": profiles, **state}).profiles]
    assert [one.name for one in found if one is not None and one.ordered] == ordered
