"""The models: do the names in the settings lead anywhere, can ``auto`` be answered, what was wrong with providers' lists, how old is the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.catalog.models import MAX_AGE_DAYS, shipped_edition
from openclaw_oauthrouter.catalog.references import check_references
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok, warning
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.tier_report import primary_of
from openclaw_oauthrouter.upstream.kept_lists import load_lists


def check_names(around: Surroundings) -> Iterator[Result]:
    """Every model and provider that the settings name."""
    try:
        providers = Builder(around.settings, create_plugin_manager()).providers
    except ConfigurationError:
        return  # said elsewhere
    problems = check_references(around.settings, providers)
    for problem in problems:
        make = failure if problem.wrong else warning
        yield make("names", str(problem), "correct the name; `openclaw-oauthrouter models` lists the models")
    if not problems:
        yield ok("names", "all models and providers named in the settings exist")


def check_auto(around: Surroundings) -> Iterator[Result]:
    """What each tier would be answered by now."""
    try:
        router = Builder(around.settings, create_plugin_manager()).router_alone()
    except ConfigurationError:
        return
    if not any(map(router.eligibility.usable, router.choosing.providers)):
        return  # the missing credential is said already
    today = datetime.fromtimestamp(around.clock(), UTC).date()
    if all(primary_of(router, tier) is None for tier in Tier):
        silent = router.choosing.silent_providers()
        if silent:
            fault = f"'auto' cannot be answered: no list of models of {', '.join(silent)} has come yet"
            yield failure("auto", fault, f"openclaw-oauthrouter models --refresh {' '.join(silent)}")
        else:
            yield failure("auto", "no model can be used: 'auto' cannot be answered", "openclaw-oauthrouter tiers")
        return
    for tier in Tier:
        yield _tier(router, tier, today)


def _tier(router: Router, tier: Tier, today: date) -> Result:
    name = f"tier {tier.value}"
    remedy = "openclaw-oauthrouter tiers"
    dead = [
        info.name
        for model in router.choosing.chains[tier]
        if (info := router.choosing.model_info(model)) and info.retires and info.retires <= today
    ]
    primary = primary_of(router, tier)
    if primary is None:
        return warning(name, "none of its models can be used; its requests go to the next tier", remedy)
    if dead:
        return warning(name, f"{primary.name}, because {', '.join(dead)} was switched off by its vendor", remedy)
    return ok(name, primary.name)


def check_lists(around: Surroundings) -> Iterator[Result]:
    """What providers were last heard to serve."""
    for provider, kept in load_lists(around.settings.home).by_provider.items():
        name = f"models {provider}"
        of = (
            f"the list of {datetime.fromtimestamp(kept.fetched, UTC):%Y-%m-%d %H:%MZ} is still used"
            if kept.models
            else "the built-in catalog is used"
        )
        if kept.problem is not None:
            yield warning(
                name,
                f"the latest list could not be fetched: {kept.problem}; {of}",
                f"openclaw-oauthrouter models --refresh {provider}",
            )
        else:
            yield ok(name, f"{len(kept.models)} listed")


def check_catalog(around: Surroundings) -> Iterator[Result]:
    """How old the shipped catalog is."""
    edition = shipped_edition()
    if edition.is_stale(datetime.fromtimestamp(around.clock(), UTC).date()):
        yield warning(
            "catalog",
            f"the built-in list of models is from {edition.generated}, more than {MAX_AGE_DAYS} days ago",
            "upgrade openclaw-oauthrouter",
        )
    else:
        yield ok("catalog", f"from {edition.generated}")
