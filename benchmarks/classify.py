"""How long classifying takes, from twenty bytes to a megabyte: ``python benchmarks/classify.py``.

CPU time of the thread, microseconds, of what the gateway does for each ``auto`` request: features of the request, then classification.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.classifier.rules_v1 import RulesV1
from openclaw_oauthrouter.interfaces import Classifier

SIZES = (20, 200, 1_000, 8_000, 100_000, 1_000_000)

ENGLISH = (
    "Design a service that accepts {n} uploads an hour, stores each under a key derived from its content, and never loses one. "
    "Explain how replicas agree on deletions, what happens when node {n} stops answering, and which invariants a test could check.\n"
    "Our present import function reads the whole file before it returns; that must not stay so, because {n} of them run at once. "
)
CHINESE = "请设计一个服务，每小时接收{n}个文件，并解释第{n}个节点失效时会发生什么。测试应当检查哪些不变量？当前的实现会把整个文件读入内存。"


def text_of(pattern: str, size: int) -> str:
    """Prose of ``size`` characters in which no line repeats."""
    pieces = []
    length = 0
    while length < size:
        piece = pattern.replace("{n}", str(len(pieces) * 7919 % 10_007))
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)[:size]


def samples(classifier: Classifier, text: str, count: int) -> Iterator[float]:
    """CPU microseconds of each of ``count`` classifications."""
    prompt_wrappers = builtin_prompt_wrappers()
    messages = (Message("system", (TextPart("You are helpful."),)), Message("user", (TextPart(text),)))
    request = ChatRequest("openai_chat_completions", "auto", messages)
    for _ in range(count):
        start = time.thread_time_ns()
        classifier.classify(features_of(request, prompt_wrappers=prompt_wrappers))
        yield (time.thread_time_ns() - start) / 1_000


def measure(classifier: Classifier, text: str, count: int) -> dict[str, float]:
    """p50 and p99 after a warm-up."""
    list(samples(classifier, text, 20))
    times = sorted(samples(classifier, text, count))
    return {"p50": round(times[len(times) // 2], 1), "p99": round(times[int(len(times) * 0.99)], 1)}


def table(classifier: Classifier, pattern: str, count: Callable[[int], int]) -> dict[str, dict[str, float]]:
    """A row for each size."""
    return {str(size): measure(classifier, text_of(pattern, size), count(size)) for size in SIZES}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    arguments = parser.parse_args()
    weights = {learned: Parameters.load(learned=learned).weights for learned in (True, False)}
    default = Rules(builtin_dimensions(weights[True]))
    plain = Rules(builtin_dimensions(weights[False]), learned=False)
    tables = {
        "rules, English": table(default, ENGLISH, lambda _: arguments.count),
        "rules, Chinese": table(default, CHINESE, lambda _: arguments.count),
        "rules without the learned term, English": table(plain, ENGLISH, lambda _: arguments.count),
        "rules-v1, English": table(RulesV1(), ENGLISH, lambda size: max(20, min(arguments.count, 2_000_000 // size))),
    }
    for name, rows in tables.items():
        print(f"\n{name}, CPU microseconds")
        for size, row in rows.items():
            print(f"{int(size):>10,} characters   p50 {row['p50']:>9,.1f}   p99 {row['p99']:>9,.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
