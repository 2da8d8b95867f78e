"""A process that spends; started, and sometimes killed, by the tests beside it."""

from __future__ import annotations

import asyncio
import json
import random
import sys

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.ledger import Ledger

from .places import hold, open_ledger, reserve, settle


async def compete(place: str, clients: int, requests: int, tokens: int, seed: str) -> None:
    """Many clients ask until they are refused; prints what was booked."""
    ledger = open_ledger(place, lease_seconds=60.0)  # on a busy machine a process may stand still for longer than the usual one
    limits = [Limit("day", "requests", requests), Limit("day", "input_tokens", tokens)]
    booked = [0, 0]
    chance = random.Random(seed)

    async def client() -> None:
        refused = 0
        while refused < 3:
            asked = hold(1, chance.randint(1, 40))
            try:
                short = await reserve(ledger, asked, limits)
            except LedgerUnavailableError:  # the server was kept from answering in time
                continue
            if short is not None:
                refused += 1
                await asyncio.sleep(0.002)
                continue
            await asyncio.sleep(chance.random() * 0.003)
            if chance.random() < 0.2:
                await ledger.release(asked.id)
                continue
            await settle(ledger, asked)
            booked[0] += 1
            booked[1] += asked.amounts.input_tokens

    await asyncio.gather(*(client() for _ in range(clients)))
    await ledger.close()
    print(json.dumps(booked))


async def spend_until_killed(place: str, most: int) -> None:
    """Five clients reserve and settle for ever; prints a line after each booking."""
    ledger = open_ledger(place)
    await asyncio.gather(*(_spend(ledger, most) for _ in range(5)))


async def _spend(ledger: Ledger, most: int) -> None:
    while True:
        asked = hold(10)
        if await reserve(ledger, asked, [Limit("day", "requests", most)]) is None:
            await asyncio.sleep(0.001)
            await settle(ledger, asked, Amounts(1))
            print("booked", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["compete", where, count, most_requests, most_tokens, seed]:
            asyncio.run(compete(where, int(count), int(most_requests), int(most_tokens), seed))
        case ["spend", where, most_requests]:
            asyncio.run(spend_until_killed(where, int(most_requests)))
