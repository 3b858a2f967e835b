"""Runs one server for long, and says what it withstood.

`python -m tests.soak [--requests N] [--races N] [--minutes N] [--heard N]`

Ends with 1 if anything was answered 5xx that nobody asked for, hung, crashed, grew, or books did not balance.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
from rich.console import Console

from mockserver.server.process import running
from tests.soak.fuzzing import Fuzz
from tests.soak.loading import Load
from tests.soak.racing import Races
from tests.soak.watching import FULL, Attention
from tests.soak.wire import Hung, Seen, Wire

CLIENTS = 4
FIRST = 10_000
"""After so many requests the server holds what it needs for any number."""
GROWTH = 1.2
"""What it may hold at the end, of what it held then."""
_ASKED_FOR = ("fault:", "prefer:", "outcome:", "stripe")


@dataclass(slots=True)
class Findings:
    """What went wrong, and what was counted."""

    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, sort: str, seen: Seen) -> int:
        """Count an answer, and look at it; how many there are now."""
        with self.lock:
            self.counts[sort] += 1
            self.counts[f"{seen.status // 100}xx" if seen.status else "closed"] += 1
            asked = any(word in seen.headers.get("x-mock-trace", "") for word in _ASKED_FOR)
            if "x-mock-broken" in seen.headers or (seen.status >= 500 and not asked):
                self.wrong.append(f"{sort}: answered {seen.status}: {seen.body[:300]!r}")
            return self.counts.total() // 2

    def hung(self, what: Hung) -> None:
        with self.lock:
            self.wrong.append(f"no answer came to {what}")


def fuzz(port: int, process: psutil.Process, requests: int, seed: int, found: Findings) -> None:
    """Send so many fuzzed requests; memory afterwards is held against that after the first."""
    held: list[int] = []

    def client(number: int) -> None:
        with closing(Wire(port)) as wire:
            source = Fuzz(wire, seed * 100 + number)
            for _ in range(requests // CLIENTS):
                try:
                    count = found.take(*source.one())
                except Hung as hung:
                    found.hung(hung)
                    continue
                if count == min(FIRST, requests // 2):
                    held.append(process.memory_info().rss)

    _together(client)
    ratio = process.memory_info().rss / held[0]
    say(f"fuzz: {dict(found.counts)}")
    first = min(FIRST, requests // 2)
    say(f"memory after them, of that after the first {first:,}: {ratio:.2f} ({held[0] / 1e6:.0f} MB)")
    if ratio > GROWTH:
        found.wrong.append(f"memory grew to {ratio:.2f} of what it was")


def race(port: int, races: int, seed: int, found: Findings) -> None:
    """Run so many races, of several clients at the same time."""

    def client(number: int) -> None:
        with closing(Races(port, seed * 100 + number)) as one:
            for _ in range(races // CLIENTS):
                one.run()
        with found.lock:
            found.wrong += one.wrong

    _together(client)
    say(f"races: {races // CLIENTS * CLIENTS:,}, {len(found.wrong)} wrong")


def load(port: int, process: psutil.Process, minutes: float, seed: int, found: Findings) -> None:
    """A mixed load for so long; memory and descriptors of its last third are held against those of its second."""
    end = time.monotonic() + minutes * 60
    samples: list[tuple[float, int]] = []
    counts = Findings()

    def client(number: int) -> None:
        with closing(Wire(port)) as wire:
            one = Load(wire, seed * 100 + number)
            while time.monotonic() < end:
                try:
                    for seen in one.step():
                        counts.take("load", seen)
                except Hung as hung:
                    counts.hung(hung)
                if number == 0 and (not samples or time.monotonic() - samples[-1][0] > minutes / 2):
                    samples.append((time.monotonic(), process.memory_info().rss))
                    descriptors.append(process.num_fds())

    descriptors: list[int] = []
    _together(client)
    found.wrong += counts.wrong
    third = len(samples) // 3
    before, after = (
        statistics.median(one for _, one in part) for part in (samples[third : 2 * third], samples[2 * third :])
    )
    say(f"load: {counts.counts['load']:,} requests in {minutes:g} minutes, {dict(counts.counts)}")
    say(f"memory of the last third, of the second: {after / before:.2f} ({after / 1e6:.0f} MB)")
    say(f"descriptors: {min(descriptors[third:])} to {max(descriptors[third:])}")
    if after > before * GROWTH or max(descriptors[2 * third :]) > max(descriptors[third : 2 * third]) + 10:
        found.wrong.append("memory or descriptors grew under a load that stayed the same")


def hear(exchanges: int, found: Findings) -> None:
    """Have a judge hear of so many exchanges; its memory afterwards is held against that when it was full."""
    traffic = Attention()
    traffic.hear(min(FULL, exchanges // 2))
    first, before = traffic.heard, traffic.memory()
    traffic.hear(exchanges - first)
    ratio = traffic.memory() / before
    say(f"memory of the judge after {traffic.heard:,} exchanges, of that after {first:,}: {ratio:.2f}")
    say(f"  it held {before / 1e6:.0f} MB")
    found.wrong += traffic.told
    if ratio > GROWTH:
        found.wrong.append(f"the judge's memory grew to {ratio:.2f} of what it was")
    if not traffic.notices():
        found.wrong.append("the judge no longer sees a paid invoice become a draft")


def _listens(process: psutil.Process, port: int) -> bool:
    return any(one.laddr.port == port for one in process.net_connections() if one.status == psutil.CONN_LISTEN)


def _together(client: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def say(text: str) -> None:
    Console().print(text, markup=False, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="fuzzed requests")
    parser.add_argument("--races", type=int, default=10_000, help="races over create, finalize and collect")
    parser.add_argument("--minutes", type=float, default=60, help="length of the mixed load")
    parser.add_argument("--heard", type=int, default=1_000_000, help="exchanges that a judge hears of")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = Findings()
    with running("--stripe-delay", "0", "--payment-delay", "0", "--journal-bytes", "20000000") as server:
        port = urlsplit(server.base).port or 0
        process = next(one for one in psutil.Process().children() if _listens(one, port))
        if given.races:
            race(port, given.races, given.seed, found)
        if given.requests:
            fuzz(port, process, given.requests, given.seed, found)
        if given.minutes:
            load(port, process, given.minutes, given.seed, found)
        if not process.is_running():
            found.wrong.append("the server has ended")
    if given.heard:
        hear(given.heard, found)
    for one in found.wrong[:50]:
        say(f"WRONG: {one}")
    say(f"{len(found.wrong)} wrong")
    sys.exit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
