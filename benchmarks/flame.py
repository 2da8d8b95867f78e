"""Draws where the time of one workload goes, as a flame graph.

python -m benchmarks.flame WORKLOAD SECONDS FILE.svg
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from html import escape
from pathlib import Path
from types import FrameType

from benchmarks.workloads import gateway, play, workloads

PERIOD = 0.0005
WIDTH, ROW, LEAST = 960, 16, 0.008
"""Pixels, and the share of the whole below which a box is left out."""

_ROOMS = "openclaw_oauthrouter/"
Stack = tuple[str, ...]


def stacks_of(workload: str, seconds: float) -> Counter[Stack]:
    """How often each stack was seen."""
    seen: Counter[Stack] = Counter()
    main, done = threading.get_ident(), threading.Event()

    def look() -> None:
        while not done.wait(PERIOD):
            stack = _stack(sys._current_frames().get(main))
            # Where the loop calls, or where a client's bytes come in.
            begins = "play" if "play" in stack else "_run"
            if begins in stack:
                seen[stack[stack.index(begins) + 1 :]] += 1

    async def run() -> None:
        async with gateway() as app:
            load = workloads()[workload]
            for _ in range(5):
                await play(app, load)
            looking = threading.Thread(target=look)
            looking.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await play(app, load)
            done.set()
            looking.join()

    sys.setswitchinterval(PERIOD / 10)
    asyncio.run(run())
    return seen


def _stack(frame: FrameType | None) -> Stack:
    names: list[str] = []
    while frame is not None:
        code = frame.f_code
        room = code.co_filename.partition(_ROOMS)[2].removesuffix(".py") if _ROOMS in code.co_filename else ""
        names.append(f"{room}: {code.co_qualname.rpartition('<locals>.')[2]}" if room else code.co_name)
        frame = frame.f_back
    return tuple(reversed(names))


def drawn(seen: Counter[Stack], title: str) -> str:
    """The picture, as SVG."""
    total = seen.total() or 1
    boxes: list[tuple[int, float, float, str]] = []

    def lay(stacks: Counter[Stack], depth: int, left: float) -> None:
        below: dict[str, Counter[Stack]] = {}
        for stack, number in stacks.items():
            if stack:
                below.setdefault(stack[0], Counter())[stack[1:]] += number
        for name, rest in sorted(below.items(), key=lambda pair: -pair[1].total()):
            share = rest.total() / total
            if share >= LEAST:
                boxes.append((depth, left, share, name))
                lay(rest, depth + 1, left)
            left += share

    lay(seen, 0, 0.0)
    height = (3 + max((depth for depth, *_ in boxes), default=0)) * ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="10">'
    lines = [
        head,
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="4" y="12" font-size="12">{escape(title)}</text>',
    ]
    lines += [_box(name, left * WIDTH, height - (depth + 1) * ROW, share) for depth, left, share, name in boxes]
    return "\n".join([*lines, "</svg>", ""])


def _box(name: str, x: float, y: int, share: float) -> str:
    width = share * WIDTH
    shade = sum(ord(character) * place for place, character in enumerate(name, 1))
    colour = f"hsl({30 + shade % 25} 85% {68 + shade % 12}%)"
    text = f'<text x="{x + 2:.1f}" y="{y + 11}">{escape(name[: int(width / 5.2)])}</text>' if width > 40 else ""
    box = f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>'
    return f"<g><title>{escape(name)} {share:.1%}</title>{box}{text}</g>"


if __name__ == "__main__":
    chosen, lasting, target = sys.argv[1:4]
    words = f"{chosen}: one request without sockets; a box is a function, its width the share of time in it and below"
    Path(target).write_text(drawn(stacks_of(chosen, float(lasting)), words), encoding="utf-8")
