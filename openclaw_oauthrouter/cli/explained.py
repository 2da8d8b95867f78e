"""An explanation of a route for people: the tier, the candidates with the parts of their sums, and what was passed over."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.trace_lines import TIER_STYLES, printable

PARTS = (
    ("total", "sum"),
    ("turn", "this call"),
    ("coming", "to come"),
    ("window", "windows"),
    ("shortfall", "below tier"),
    ("preference", "order"),
)
"""Parts of a sum as the trace names them, and headings."""

_KINDS = {
    "subagent": "a sub-agent's turn",
    "compaction": "a compaction of the conversation",
    "side": "a side request of the client's own; it moves nothing",
    "aside": "a question beside the conversation; it moves nothing",
}


def show(answer: JsonObject) -> None:
    """Print what ``/v1/route/explain`` answers."""
    console = create_console()
    tier = answer["tier"]
    model = answer["model"] or "nobody would be asked"
    headline = f"  {printable(model)}   confidence {answer['confidence']:.2f}   {answer['method']}"
    console.print(Text.assemble((tier or "as asked", f"bold {TIER_STYLES.get(tier or '', '')}"), headline))
    console.print(Text(printable(answer["reasoning"])))
    if answer.get("refusal"):
        console.print(
            Text(
                f"{'downgraded' if answer['refusal']['downgraded'] else 'refused'}: {printable(answer['refusal']['message'])}",
                style="yellow",
            )
        )
    for line in _circumstances(answer):
        console.print(Text(line, style="dim"))
    if answer["dimensions"]:
        _show_dimensions(console, answer["dimensions"])
    for minimum in answer["floors"]:
        console.print(Text(f"minimum tier: {printable(minimum)}"))
    _show_candidates(console, answer)
    against = f"{answer['baselineModel']}: {_dollars(answer['baselineCost'])}"
    less = f", {answer['savings']:.0%} less" if answer["savings"] is not None else ""
    console.print(f"expected cost {_dollars(answer['costEstimate'])}; {against}{less}")


def _circumstances(answer: JsonObject) -> Iterator[str]:
    if answer["kind"] in _KINDS:
        yield _KINDS[answer["kind"]]
    conversation = answer.get("conversation") or {"known": False, "key": None}
    if conversation["known"]:
        at = f"{conversation['model']}, a {conversation['tier']} task"
        yield f"conversation {conversation['key']}: {_count(conversation['turns'], 'answer')} so far, at {at}"
        for model, tokens in conversation["cached"].items():
            yield f"  in the cache of {model}: {_count(tokens, 'token')}"
    elif conversation["key"] is not None and answer["tier"] is not None:
        yield f"conversation {conversation['key']}: nothing is known of it; this would be its first turn"
    forecast = answer["forecast"]
    if forecast is not None:
        sizes = f"{_count(forecast['inputTokens'], 'token')} in, {forecast['outputTokens']:,} out"
        yield f"needs {forecast['needed']} at least; about {sizes}, {forecast['turns']:.0f} more calls to come"
    trouble = answer["trouble"]
    if trouble is not None:
        yield f"chance that the task fails, by what has happened in it: {trouble:.0%}"


def _show_dimensions(console: Console, dimensions: list[JsonObject]) -> None:
    silent = sum(not one["score"] for one in dimensions)
    told = f"{_count(silent, 'dimension')} found nothing" if silent else None
    table = create_table("dimension", "score", "weight", "share", "found", caption=told)
    for one in dimensions:
        if not one["score"]:
            continue
        share = one["score"] * one["weight"]
        table.add_row(one["name"], f"{one['score']:+.2f}", f"{one['weight']:.3f}", f"{share:+.3f}", one["signal"] or "")
    console.print(table)


def _show_candidates(console: Console, answer: JsonObject) -> None:
    """Sums are in microdollars, as in the trace."""
    drawn = any(hop["cost"] for hop in answer["hops"])
    title = "Tried in this order" + ("; the lowest sum is first, in millionths of a dollar" if drawn else "")
    table = create_table("model", numbers=tuple(heading for _, heading in PARTS if drawn), title=title)
    for hop in answer["hops"]:
        sums = [f"{hop['cost'][part]:,}" if hop["cost"] else "" for part, _ in PARTS if drawn]
        account = f", by {hop['credential']}" if hop.get("credential") else ""
        table.add_row(Text.assemble(printable(hop["model"]), "\n", (printable(hop["reason"] + account), "dim")), *sums)
    for one in answer["skipped"]:
        table.add_row(Text(f"{printable(one['model'])}\nskipped: {printable(one['reason'])}", style="dim"))
    console.print(table)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _dollars(amount: float | None) -> str:
    return "unknown" if amount is None else f"${amount:.4f}"
