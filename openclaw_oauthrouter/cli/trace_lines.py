"""One recorded request as one line of a terminal."""

from __future__ import annotations

import time

from rich.text import Text

from openclaw_oauthrouter.canonical.json import JsonObject

TIER_STYLES = {"SIMPLE": "cyan", "MEDIUM": "blue", "COMPLEX": "magenta", "REASONING": "bold magenta"}


def event_line(event: JsonObject) -> Text:
    """Time, status, tier, models, times, tokens, cost, and what was out of the ordinary."""
    tier = event.get("routingTier")
    return Text.assemble(
        (time.strftime("%H:%M:%S", time.localtime(event["ts"] / 1000)), "dim"),
        "  ",
        (f"{event.get('status', '—')!s:<4}", status_style(event.get("status"))),
        (f"{tier or 'as asked':<10}", TIER_STYLES.get(tier or "", "dim")),
        (f"{models(event):<48}", "bold"),
        f"{milliseconds(event.get('latencyMs')):>9}",
        (f"{tokens(event):>16}", "dim"),
        f"{dollars((event.get('cost') or {}).get('actual')):>10}",
        "  ",
        (remarks(event), "yellow"),
    )


def status_style(status: int | None) -> str:
    """Green, yellow for what the client can mend, red for failures."""
    if status is None:
        return "dim"
    return "green" if status < 400 else "yellow" if status < 500 else "red"


def models(event: JsonObject) -> str:
    """Requested -> answered."""
    asked, answered = event.get("modelIdRequested"), event.get("modelIdRouted") or event.get("modelIdResolved")
    if asked is None:
        return printable(str(event.get("path", "")))
    return printable(str(asked) if answered in (None, asked) else f"{asked} → {answered}")


def printable(text: str) -> str:
    """The text without control characters: what a client sent must not steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def milliseconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return "—"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def tokens(event: JsonObject) -> str:
    """Tokens in and out."""
    counts = event.get("tokens") or {}
    return f"{counts.get('input', 0):,} / {counts['output']:,}" if "output" in counts else "—"


def dollars(value: float | None) -> str:
    """US dollars, as many digits as small amounts need."""
    if value is None:
        return "—"
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def remarks(event: JsonObject) -> str:
    """Fallback, pre-route, refusal, error."""
    found = []
    if (event.get("preRoute") or {}).get("triggered"):
        found.append("pre-route")
    if (event.get("fallback") or {}).get("triggered"):
        found.append("fallback")
    if (event.get("spend") or {}).get("decision", "allowed") != "allowed":
        found.append(f"spend {event['spend']['decision']}")
    if event.get("errorMessage"):
        found.append(printable(str(event["errorMessage"]))[:120])
    return ", ".join(found)
