"""The default classifier gives people the tier they expect, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures, Tier
from openclaw_oauthrouter.classifier.dimensions import DIMENSION_NAMES, builtin_dimensions
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Dimension

from .requests import said

SIMPLE, MEDIUM, COMPLEX, REASONING = Tier


def classifier(*, learned: bool = True, profile: str = "balanced", extra: Sequence[Dimension] = ()) -> Rules:
    weights = Parameters.load(learned=learned).weights
    return Rules([*builtin_dimensions(weights), *extra], learned=learned, profile=profile)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return classifier()


@pytest.mark.parametrize(
    ("prompt", "tiers"),
    [
        # What the product promises.
        ("hi", (SIMPLE,)),
        ("what's 2+2?", (SIMPLE,)),
        ("What is the capital of Peru?", (SIMPLE,)),
        ("Prove that sqrt(2) is irrational", (REASONING,)),
        # Keywords that stand inside longer words.
        ("Write me a letter to my landlord", (SIMPLE, MEDIUM)),
        ("I completely forgot my password", (SIMPLE,)),
        ("Please proofread and improve this note.", (SIMPLE, MEDIUM)),
        # A word that two languages share is one word.
        ("定理", (SIMPLE,)),
        ("什么是定理？", (SIMPLE,)),
        ("这个定理是谁提出的?", (SIMPLE,)),
        # Hard, short, and without the usual keywords.
        ("Design a distributed lock service with fencing tokens and explain failure modes", (COMPLEX, REASONING)),
        ("Refactor the payment module to remove the race condition between capture and refund", (COMPLEX, REASONING)),
        ("Solve x^4-10x^2+1=0 over Q and find its Galois group", (REASONING,)),
        ("Diagnose: our p99 latency tripled after the last deploy, CPU is flat", (COMPLEX, REASONING)),
        ("Find the deadlock in this worker pool", (COMPLEX, REASONING)),
        ("Do a security review of the login handler and list every vulnerability", (COMPLEX, REASONING)),
        ("Think hard: which of these two plans is safer?", (REASONING,)),
        ("证明√2是无理数", (REASONING,)),
        ("証明せよ：素数は無限に存在する", (REASONING,)),
        ("Докажите, что корень из двух иррационален", (REASONING,)),
        # The same words in a question one looks up.
        ("what is a race condition?", (SIMPLE, MEDIUM)),
        ("what is a theorem?", (SIMPLE,)),
        # Small talk in many languages.
        ("Hello, how are you today?", (SIMPLE,)),
        ("¿Cómo estás?", (SIMPLE,)),
        ("Guten Morgen!", (SIMPLE,)),
        ("你好", (SIMPLE,)),
        ("お元気ですか", (SIMPLE,)),
        ("Спасибо, хорошего дня!", (SIMPLE,)),
        ("안녕하세요", (SIMPLE,)),
    ],
)
def test_tiers_people_expect(rules: Rules, prompt: str, tiers: tuple[Tier, ...]) -> None:
    classified = rules.classify(said(prompt))
    assert classified.tier in tiers, classified.reasoning


@pytest.mark.parametrize(
    "prompt",
    [
        "git rebase onto main and resolve conflicts",
        "why is the build red?",
        "fix the failing tests",
        "our pods keep crashlooping",
        "CI is failing, have a look",
        "why does prod return 502?",
        "the login page is broken",
        "make the tests pass",
        "squash my last three commits and force push",
        "bisect this regression",
        "deploy is stuck",
        "find the memory leak",
        "upgrade to react 19",
        "add pagination to the users endpoint",
        "cherry-pick the hotfix to release",
        "why is this query slow?",
        "debug the deadlock",
        "port this to typescript",
        "set up eslint and prettier",
        "the websocket keeps disconnecting",
        "revert the migration",
        "write tests for the parser",
        "refactor auth.py",
        "docker build fails with no space left",
        "profile the startup time",
        "the linter complains about unused imports, clean up",
        "merge the open PRs that are green",
        "why did the cron job not run?",
        "investigate the spike in latency",
        "bump dependencies and fix what breaks",
        "tests are flaky on windows",
        "resolve the merge conflict in package-lock.json",
        "our terraform plan wants to destroy the db, why?",
        "implement dark mode",
        "optimise the image pipeline",
        "rotate the leaked key and check for others",
        "warum ist der Build rot?",
        "behebe die fehlschlagenden Tests",
        "为什么构建失败了",
        "corrige los tests que fallan",
        "kubernetes ingress gives 404",
        "nginx returns 413",
        "segfault in the renderer",
        "null pointer in checkout",
        "can you figure out why the tests hang?",
    ],
)
def test_rules_short_real_work_is_not_simple(rules: Rules, prompt: str) -> None:
    assert rules.classify(said(prompt)).tier is not SIMPLE


@pytest.mark.parametrize(
    "prompt",
    [
        "hi",
        "thanks",
        "what time is it",
        "what is git",
        "how do you spell rebase",
        "what does CI stand for",
        "good morning",
        "what is 12*12",
        "why does sodium react with water?",
        "is it raining",
        "why is the sky blue?",
    ],
)
def test_rules_small_talk_and_facts_stay_simple(rules: Rules, prompt: str) -> None:
    assert rules.classify(said(prompt)).tier is SIMPLE


def test_rules_learned_term_is_not_what_keeps_the_promises() -> None:
    plain = classifier(learned=False)
    assert plain.classify(said("hi")).tier is SIMPLE
    assert plain.classify(said("Prove that sqrt(2) is irrational")).tier is REASONING
    classified = plain.classify(said("Design a distributed lock service with fencing tokens"))
    assert classified.tier is COMPLEX
    assert "learned" not in classified.reasoning


def test_rules_every_tier_is_reached_by_score_alone(rules: Rules) -> None:
    prompts = {
        SIMPLE: "Who wrote Hamlet?",
        MEDIUM: "Write a short thank-you email to my team for their work this week",
        COMPLEX: "Write a SQL query that returns the top five customers by revenue for each month, including months without sales",
        REASONING: "Let $f: [0,1] \\to \\mathbb{R}$ be continuous with $f(0)=f(1)=0$, and suppose that for every $n$ there are "
        "$0 \\le x < y \\le 1$ such that $y - x = 1/n$. Determine all $c \\in (0,1)$ for which a chord of length $c$ must exist. "
        "Then find the set of all such $c$ for polynomials of degree at most $d$, and compute its measure. "
        "Finally, derive a closed form for the number of chords when $f(x) = \\sin(2 \\pi k x)$, where $k$ is a positive integer.",
    }
    for tier, prompt in prompts.items():
        classified = rules.classify(said(prompt))
        assert classified.tier is tier, classified.reasoning
        assert classified.minimum_tiers == ()


def test_rules_what_was_pasted_does_not_decide(rules: Rules) -> None:
    log = "2026-11-22 10:00:00 INFO worker import batch done, return code 0\n" * 90
    classified = rules.classify(said(f"{log}what failed?"))
    assert classified.tier.rank <= MEDIUM.rank, classified.reasoning


def test_rules_explanation_names_score_and_signals(rules: Rules) -> None:
    classified = rules.classify(said("Give the proof and prove that the theorem holds"))
    assert classified.reasoning.startswith("score=")
    assert "reasoning (proof, prove, theorem)" in classified.reasoning
    assert "at least REASONING: proof (prove that)" in classified.reasoning
    assert classified.minimum_tiers == ("at least REASONING: proof (prove that)",)
    assert classified.method == "rules"
    assert [one.name for one in classified.dimensions] == [*DIMENSION_NAMES, "learnedScore"]


def test_rules_score_is_the_weighted_sum_of_the_dimensions(rules: Rules) -> None:
    classified = rules.classify(said("Who wrote Hamlet?"))
    assert classified.score == pytest.approx(sum(one.score * one.weight for one in classified.dimensions))


def test_rules_minimum_tier_lifts_the_score_into_its_tier(rules: Rules) -> None:
    classified = rules.classify(said("Prove that sqrt(2) is irrational"))
    assert classified.score == rules.cut_points[2]


def test_length_of_dense_scripts_is_weighed(rules: Rules) -> None:
    english = (
        "A train leaves at noon at 60 km per hour; another leaves an hour later at 90 km per hour. When and where do they meet?"
    )
    chinese = (
        "一列火车中午出发，时速60公里；另一列一小时后从同一车站出发，时速90公里。第二列什么时候追上第一列？在离车站多远的地方？"
    )
    assert rules.classify(said(english)).tier is rules.classify(said(chinese)).tier is not SIMPLE


def test_filler_is_not_length(rules: Rules) -> None:
    assert rules.classify(said("hi " + "blah " * 500)).tier.rank <= MEDIUM.rank


def test_profiles_order_the_tiers(rules: Rules) -> None:
    prompts = [
        "hi",
        "Write a short thank-you email",
        "Explain quantum entanglement to a child",
        "Implement quicksort in Rust with tests",
    ]
    for prompt in prompts:
        ranks = [rules.for_profile(name).classify(said(prompt)).tier.rank for name in ("economy", "balanced", "quality")]
        assert ranks == sorted(ranks)
    assert rules.for_profile("economy").cut_points > rules.for_profile("quality").cut_points


def test_rules_sibling_shares_what_was_loaded(rules: Rules) -> None:
    rules.classify(said("hi"))
    assert rules.for_profile("economy").dimensions is rules.dimensions


def test_rules_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="profile 'cheap'"):
        classifier(profile="cheap")
    with pytest.raises(ConfigurationError, match="must rise"):
        Rules((), cut_points=(0.3, 0.2, 0.4))


def test_rules_own_cut_points_replace_the_profiles() -> None:
    weights = Parameters.load(learned=True).weights
    rules = Rules(builtin_dimensions(weights), cut_points=(-9.0, -8.0, -7.0))
    assert rules.classify(said("hi")).tier is REASONING


@dataclass(frozen=True)
class Urgency:
    """A third party's dimension; reads what every dimension may read."""

    name: str = "urgency"
    weight: float = 2.0

    def score(self, features: RequestFeatures) -> DimensionScore:
        urgent = "urgent" in features.text
        return DimensionScore(self.name, float(urgent), self.weight, "urgent" if urgent else None)


def test_rules_dimension_of_a_third_party_takes_part() -> None:
    rules = classifier(extra=[Urgency()])
    assert rules.classify(said("urgent: hi")).tier is REASONING
    assert rules.classify(said("hi")).tier is SIMPLE


def test_confidence_grows_with_the_distance_from_the_cut_points(rules: Rules) -> None:
    sure = rules.classify(said("hi"))
    near = min(
        (rules.classify(said("a " * n)) for n in range(1, 60)), key=lambda one: min(abs(one.score - c) for c in rules.cut_points)
    )
    assert 0.5 < near.confidence < sure.confidence <= 1
