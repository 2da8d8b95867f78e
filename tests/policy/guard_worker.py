"""A process whose clients spend through the guard, with answers of the lengths that the demo's mix has; started by the tests beside it."""

from __future__ import annotations

import asyncio
import json
import mmap
import random
import sys
import time
from datetime import UTC
from pathlib import Path

from openclaw_oauthrouter.canonical.pricing import MeasuredCost, Price
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo, Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import BudgetExceededError
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.spend import Spend

from .places import open_store

DECLARED = 64_000
PRICE = Price(4.0, 20.0)
INFO = ModelInfo("anthropic", "claude-opus-5-5", max_output_tokens=DECLARED)
TIERS = ((Tier.SIMPLE, 120), (Tier.MEDIUM, 350), (Tier.COMPLEX, 700), (Tier.REASONING, 1200))
"""Usual lengths of answers, in tokens; one in twenty is eight times as long."""


class Written:
    """What the answers of every process have cost so far, the unfinished ones too, in micro-dollars; a number for each process in one file."""

    def __init__(self, path: Path, process: int) -> None:
        with path.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self._process = process

    @staticmethod
    def create(path: Path, processes: int) -> None:
        """Call it before the first process starts."""
        path.write_bytes(bytes(8 * processes))

    def add(self, microdollars: int) -> None:
        self._numbers[self._process] += microdollars

    def sum(self) -> int:
        return sum(self._numbers)


def cost_of(written: int) -> int:
    """Micro-dollars, of an answer of so many tokens."""
    return round(200 * PRICE.input + written * PRICE.output)


class Clients:
    """What the clients of one process did.

    :ivar early: refusals while less than nine tenths were really used; what an unfinished answer has written is used
    :ivar spent: micro-dollars, by what the answers really held
    """

    def __init__(self, spend: Spend, written: Written, most: int, seed: int) -> None:
        self.spend, self.written, self.most = spend, written, most
        self.chance = random.Random(seed)
        self.answered = self.refused = self.early = self.cut = self.spent = 0

    async def run(self) -> None:
        """Ask until the budget is used up."""
        while self.refused < 3:
            tier, usual = self.chance.choice(TIERS)
            length = int(usual * self.chance.uniform(0.5, 1.5)) * (8 if self.chance.random() < 0.05 else 1)
            try:
                await self._ask(tier, length, streams=self.chance.random() < 0.7)
            except BudgetExceededError:
                self.refused += 1
                self.early += self.written.sum() < 0.9 * self.most
                await asyncio.sleep(0.01)

    async def _ask(self, tier: Tier, length: int, *, streams: bool) -> None:
        estimate = Estimate(200, DECLARED)
        reservation = await self.spend.reserve(Candidate(INFO, tier), estimate, None, streams=streams, stated=False)
        # An upstream keeps to what it is told.
        length = min(length, reservation.output_cap or DECLARED)
        written = 0
        self.written.add(cost_of(0))
        watched = reservation.watched_tokens
        while written < length:
            await asyncio.sleep(0.001)
            more = min(length - written, 300)
            written += more
            self.written.add(cost_of(more) - cost_of(0))
            if streams and watched is not None and written > watched:
                try:
                    await reservation.top_up(written)
                except BudgetExceededError:
                    self.cut += 1
                    break
                watched = reservation.watched_tokens
        await reservation.settle(Usage(200, written), MeasuredCost(cost_of(written) / 1e6))
        self.spend.learn(None, INFO, tier, written)
        self.answered += 1
        self.spent += cost_of(written)


async def compete(place: str, progress: Path, count: int, dollars: float, hard: bool, seed: int) -> None:
    """Many clients ask until they are refused; prints what became of it."""
    ledger = Ledger(open_store(place, lease_seconds=60.0), time.time)
    ids = iter(range(10**9))
    spend = Spend(
        SpendSettings(daily_cost_budget=dollars, hard=hard, warn_at=()),
        ledger,
        price=lambda _: PRICE,
        clock=time.time,
        new_id=lambda: f"{seed}-{next(ids)}",
        expectations=Expectations(),
        zone=UTC,
    )
    clients = Clients(spend, Written(progress, seed), round(dollars * 1e6), seed)
    await asyncio.gather(*(clients.run() for _ in range(count)))
    await ledger.close()
    print(json.dumps({name: getattr(clients, name) for name in ("answered", "refused", "early", "cut", "spent")}))


if __name__ == "__main__":
    where, written, clients_count, budget, is_hard, number = sys.argv[1:]
    asyncio.run(compete(where, Path(written), int(clients_count), float(budget), is_hard == "hard", int(number)))
