"""Tiers, the features a classifier sees, and the decisions that follow."""

from __future__ import annotations

import warnings
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from openclaw_oauthrouter.canonical.model_info import ModelInfo as ModelInfo  # noqa: PLC0414
from openclaw_oauthrouter.canonical.pricing import Price as Price  # noqa: PLC0414
from openclaw_oauthrouter.canonical.value import value


class Tier(StrEnum):
    """How capable a model the request needs; ``rank`` rises with capability."""

    SIMPLE = "SIMPLE"
    MEDIUM = "MEDIUM"
    COMPLEX = "COMPLEX"
    REASONING = "REASONING"

    if TYPE_CHECKING:

        @property
        def rank(self) -> int:
            """0 for SIMPLE to 3 for REASONING."""


for _rank, _tier in enumerate(Tier):
    # Kept by each: a decision asks for two dozen of them.
    vars(_tier)["rank"] = _rank


class RequestKind(StrEnum):
    """What a request is to its client; agents send more than their users' turns."""

    MAIN = "main"
    """A turn of the conversation."""
    SUBAGENT = "subagent"
    """A turn of a helper that an agent started; a conversation of its own."""
    COMPACTION = "compaction"
    """The conversation is to be shortened to a summary that the same task goes on with."""
    SIDE = "side"
    """The client's own doing beside the conversation: a title, a summary, a quota probe. It moves nothing."""
    ASIDE = "aside"
    """A question of the user's beside the conversation, which does not hear of it. It moves nothing either."""


TurnKind = Literal["task", "continues", "digression"]
"""``task`` opens one, ``continues`` belongs to the one before, ``digression`` does neither: the task is taken up again later."""


NOTABLE_FAILURES, NOTABLE_EDITS = 2, 3
"""Failures among the last five, and edits since tests were last run, that stand out."""


@value(frozen=True, slots=True)
class Flight:
    """What has happened since the task was set, as far as the request's own tool calls and their results tell.

    :ivar calls: tool calls
    :ivar failures: results that say they failed (an error flag, an exit code other than 0)
    :ivar recent_failures: those among the last five
    :ivar tracebacks: results with a traceback, among those looked at
    :ivar repeats: calls that are word for word an earlier one
    :ivar edits: calls that change files
    :ivar tests: calls that run tests
    :ivar untested_edits: edits since tests were last run
    :ivar passing: whether the last test run passed; ``None`` when there was none
    :ivar output_characters: of all results
    :ivar gave_up: times that the model said lately that it cannot go on; 0 if its latest words do not say so (traces of before only say whether)
    :ivar late_failures: of the last ten results
    :ivar same_failures: of the last ten results, failures that the same call had brought before
    :ivar same_answers: of the last ten results, others that the same call had brought before; calls that wait for something do not count
    """

    calls: int = 0
    failures: int = 0
    recent_failures: int = 0
    tracebacks: int = 0
    repeats: int = 0
    edits: int = 0
    tests: int = 0
    untested_edits: int = 0
    passing: bool | None = None
    output_characters: int = 0
    gave_up: int | bool = 0
    late_failures: int = 0
    same_failures: int = 0
    same_answers: int = 0

    def signs(self) -> str:
        """What stands out, in words."""
        found = [f"{self.calls} calls"]
        if self.recent_failures >= NOTABLE_FAILURES:
            found.append(f"{self.recent_failures} of the last 5 failed")
        if self.same_failures:
            found.append(f"{self.same_failures} times the same failure")
        if self.same_answers:
            found.append(f"{self.same_answers} times the same answer")
        if self.repeats:
            found.append(f"{self.repeats} repeated")
        if self.tracebacks:
            found.append(f"{self.tracebacks} tracebacks")
        if self.untested_edits >= NOTABLE_EDITS:
            found.append(f"{self.untested_edits} edits untested")
        if self.passing is not None:
            found.append("tests pass" if self.passing else "tests fail")
        if self.gave_up:
            found.append("the model says it cannot go on")
        return ", ".join(found)


@value(frozen=True, slots=True)
class RequestFeatures:
    """What a classifier may look at; prepared once per request, frozen.

    :ivar text: the user's own words of the current task, host envelopes stripped, bounded to a head-and-tail view
    :ivar text_length: characters before bounding
    :ivar letters: length of ``text`` in letters of an alphabet, what is said over and over counted a few times only; ``None`` where nobody
        has counted
    :ivar system_text: the system prompt (not a sign of difficulty by itself)
    :ivar turn_count: user messages in the conversation that hold words of the user
    :ivar is_tool_result_turn: the last turn only carries tool results
    :ivar previous_tier: tier of the conversation's last answer, if the gateway remembers it
    :ivar input_tokens: estimate of the whole request
    :ivar task_text: the last substantial words of the user before ``text``, bounded likewise; what a "yes, do it" refers to
    :ivar image_count: images of the user's own, anywhere in the request; not those that tools answered with
    :ivar turn_image_count: images that came with ``text``
    :ivar raw_last_user_text: the last user message as it was sent, wrapping and all
    :ivar raw_last_user_images: images of that message
    :ivar kind: what the request is to its client
    :ivar agent: an agent at work asks: it offers tools to act with, or sends what its commands printed
    :ivar effort_is_default: ``reasoning_effort`` is what the client sends on every turn, so it says nothing of this one
    :ivar flight: what has happened since the task was set; ``None`` before the first tool call
    :ivar anew: the conversation begins with this request, whatever is remembered under its name
    :ivar keywords: distinct keywords found in ``text``, by list; filled in once by the default classifier for its dimensions
    """

    text: str
    text_length: int
    system_text: str = ""
    turn_count: int = 1
    is_tool_result_turn: bool = False
    has_assistant_turn: bool = False
    tool_names: tuple[str, ...] = ()
    image_count: int = 0
    file_count: int = 0
    structured_output: bool = False
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    input_tokens: int = 0
    previous_tier: Tier | None = None
    conversation: str | None = None
    task_text: str = ""
    earlier_text: str = ""
    turn_image_count: int = 0
    raw_last_user_text: str = ""
    raw_last_user_images: int = 0
    kind: RequestKind = RequestKind.MAIN
    agent: bool = False
    effort_is_default: bool = False
    flight: Flight | None = None
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    letters: float | None = None
    anew: bool = False


@value(frozen=True, slots=True)
class DimensionScore:
    """One named dimension's say.

    :ivar score: -1 to 1; higher wants a stronger tier
    :ivar signal: what it found, for the explanation
    """

    name: str
    score: float
    weight: float
    signal: str | None = None


@value(frozen=True, slots=True)
class Classification:
    """A classifier's answer.

    :ivar score: higher means a stronger tier
    :ivar confidence: 0 to 1; reported, never used to override the tier
    :ivar method: who decided: ``rules``, ``rules-v1``, or a plugin's name
    :ivar reasoning: one line for people
    :ivar minimum_tiers: rules that lifted the tier, in words
    :ivar turn: what the turn is to the conversation's task; a classifier that does not tell leaves ``task``
    :ivar agent: taken for an agent's task: by cut points that rise with its length
    :ivar trouble: 0 to 1, chance that an agent's task fails as it goes, from what has happened in flight; ``None`` when that says nothing
    """

    tier: Tier
    score: float
    confidence: float
    method: str
    reasoning: str
    dimensions: tuple[DimensionScore, ...] = ()
    minimum_tiers: tuple[str, ...] = ()
    turn: TurnKind = "task"
    trouble: float | None = None
    agent: bool = False


_LONGEST_LEFT = 1.05
"""Share of a window that may be left; more than all of it by what clocks stand apart."""


@value(frozen=True, slots=True)
class PlanWindow:
    """One window of a plan, as a provider last told of it.

    :ivar name: ``5h``, ``7d``, ``codex 300 min`` …
    :ivar used: share that is used up, 0 to 1 and beyond
    :ivar seconds: its length; ``None`` when not known
    :ivar resets_at: Unix seconds; ``None`` when not told
    :ivar extra: it is used up, and the plan bills further calls in dollars
    """

    name: str
    used: float
    seconds: float | None = None
    resets_at: float | None = None
    extra: bool = False

    def elapsed(self, now: float) -> float:
        """Share of its time that is gone, 0 to 1; one half where that is not known."""
        elapsed = self._elapsed(now)
        return 0.5 if elapsed is None else elapsed

    def runs_out_at(self, now: float) -> float | None:
        """Unix seconds at which it will be used up if use goes on as until now; ``None`` when its reset comes first."""
        elapsed = self._elapsed(now)
        if self.seconds is None or self.resets_at is None or not elapsed or self.used <= 0:
            return None
        moment = now + max(0.0, 1.0 - self.used) * elapsed * self.seconds / self.used
        return moment if moment < self.resets_at else None

    def _elapsed(self, now: float) -> float | None:
        """A window that has longer to run than it lasts is none that we know."""
        if self.seconds is None or self.resets_at is None:
            return None
        left = (self.resets_at - now) / self.seconds
        return min(1.0, max(0.0, 1.0 - left)) if left <= _LONGEST_LEFT else None


class WindowShare(NamedTuple):
    """What an answer that a plan paid took of one of its windows.

    :ivar window: its name
    :ivar used: share that was used up when the answer began, as the provider told it
    :ivar share: share that this answer is taken to have used up: an estimate, by what a dollar of list price used up before; ``None``
        while that is not known
    """

    window: str
    used: float
    share: float | None


@value(frozen=True, slots=True)
class Payment:
    """Who pays for calls of one model.

    :ivar by_plan: a subscription does, so that no call costs money and each uses up its windows
    :ivar windows: those that count this model
    """

    by_plan: bool = False
    windows: tuple[PlanWindow, ...] = ()


class Payer(NamedTuple):
    """One account that can pay for calls of a model.

    :ivar credential: its name; ``None`` where there is nothing to choose
    :ivar shadow: what a call costs there, as a share of its list price
    """

    credential: str | None
    shadow: float


@value(frozen=True, slots=True)
class TaskState:
    """What a conversation is to remember of its task once a turn is answered; see ``Conversation``.

    :ivar anew: the conversation begins with this turn; what was remembered under its name is another's
    """

    tier: Tier
    digressions: int = 0
    effort: str | None = None
    shift: int = 0
    shifted_at: int = 0
    anew: bool = False


CacheUse = Literal["none", "5m", "1h"]


@value(frozen=True, slots=True)
class TurnForecast:
    """What the coming calls of a conversation are expected to be; the same for every candidate.

    :ivar needed: least tier that serves the task
    :ivar lift: 0 to 1: how far what happened in flight speaks for one tier more; negative for one less
    :ivar input_tokens: of this call
    :ivar output_tokens: of each answer
    :ivar growth_tokens: by which each further prompt is longer
    :ivar turns: calls expected after this one
    :ivar shortfall: what answering one tier below ``needed`` costs, in multiples of what the work costs at that tier
    :ivar preference: share of its list-price advantage that is taken from a model behind a tier's primary
    :ivar cache: for how long the request has its prompt kept, at providers that do so only if they are asked
    """

    needed: Tier
    input_tokens: int
    output_tokens: int
    growth_tokens: int = 0
    turns: float = 0.0
    shortfall: float = 3.0
    preference: float = 1.0
    lift: float = 0.0
    cache: CacheUse = "5m"


class CandidateCost(NamedTuple):
    """The sum that decides between candidates, in microdollars; the least total wins.

    :ivar turn: list price of this call, with the cache as it is at this provider
    :ivar coming: list price of the calls expected after it
    :ivar window: added to these: for a plan, its windows' shadow price less the list price, which it does not charge
    :ivar shortfall: price of going below the needed tier
    :ivar preference: what it is cheaper than the tier's primary, taken back, for the configuration names that first
    :ivar cached_tokens: prompt tokens that this provider's cache is taken to hold
    :ivar shadow: the windows' shadow price, as a share of the list price; 1 for a paid key
    :ivar rank: of the highest tier that lists the model
    :ivar place: 0 for the model in use and for the tier's primary
    :ivar price: the price used, US dollars per million tokens
    """

    turn: int
    coming: int
    window: int
    shortfall: int
    preference: int
    cached_tokens: int
    shadow: float
    rank: int
    place: int
    price: Price

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self[:5])


@value(frozen=True, slots=True)
class Candidate:
    """One stop of a route: a model at a provider.

    :ivar only_on: statuses of the failure before it that may lead here; empty: any failure that another provider can mend
    :ivar cost: the sum by which it stands where it stands; ``None`` where none was drawn up
    :ivar accounts: names of the credentials to try, in the order of their sums; empty where there is nothing to choose. Others of the
        same model may stand further behind
    """

    info: ModelInfo
    tier: Tier | None = None
    reason: str = ""
    only_on: tuple[int, ...] = ()
    cost: CandidateCost | None = None
    accounts: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class SkippedCandidate:
    """A model that was considered and passed over before a call was wasted.

    :ivar reserve: the configuration prefers one that can serve
    """

    model: str
    reason: str
    reserve: bool = False


@value(frozen=True, slots=True)
class RoutingDecision:
    """Where a request goes and why.

    :ivar model: ``provider/model`` of the first candidate
    :ivar cost_estimate: US dollars the call is expected to cost, before the fact; ``None`` when a price is not known
    :ivar baseline_cost: what the baseline model (default: the REASONING primary) is expected to cost, likewise
    :ivar savings: 0 to 1, share of the baseline that is expected to be saved; what was saved stands in the trace
    :ivar candidates: the models to try, in order
    :ivar forecast: what the sums of the candidates were drawn up for
    :ivar kind: what the request is to its client
    :ivar task: what to remember of the conversation's task; ``None`` moves nothing
    :ivar asked: the tier, where the client or a limit decided it rather than the classification; ``None`` otherwise
    :ivar stake: microdollars that the work costs at the needed tier: the unit of the sums' prices that are not money
    :ivar remembers_since: Unix milliseconds at which the memory of conversations began, that the decision went by; 0: it outlives a gateway
    :ivar needs: what the request demands of a model beside its length, in words: ``images``, ``tools``, ``json_schema`` …
    :ivar asked_profile: the profile that a header asked for; ``None`` where the model's name or the configuration decided it
    """

    model: str
    tier: Tier | None
    confidence: float
    method: str
    reasoning: str
    cost_estimate: float | None = None
    baseline_cost: float | None = None
    savings: float | None = None
    baseline_model: str | None = None
    score: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    skipped: tuple[SkippedCandidate, ...] = ()
    classification: Classification | None = None
    forecast: TurnForecast | None = None
    kind: RequestKind = RequestKind.MAIN
    task: TaskState | None = None
    stake: int = 0
    asked: Tier | None = None
    asked_profile: str | None = None
    needs: tuple[str, ...] = ()
    remembers_since: int = 0


@value(frozen=True, slots=True)
class Estimate:
    """Tokens a request is expected to use, before the fact."""

    input_tokens: int
    output_tokens: int


@value(frozen=True, slots=True)
class RouteHints:
    """What one request asks of the router beyond its model id.

    :ivar tier: use this tier, whatever the classifier says
    :ivar profile: ``economy``, ``balanced`` or ``quality``
    :ivar max_tier: never go above this tier
    """

    tier: Tier | None = None
    profile: Literal["economy", "balanced", "quality"] | None = None
    max_tier: Tier | None = None


_FORMER_NAMES = {"ModelCard": "ModelInfo", "Hop": "Candidate", "SkippedHop": "SkippedCandidate"}


def __getattr__(name: str) -> object:
    if name not in _FORMER_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name!r} is now {_FORMER_NAMES[name]!r}", DeprecationWarning, stacklevel=2)
    return globals()[_FORMER_NAMES[name]]
