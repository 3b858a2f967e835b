"""Measures the mock server against Prism and against a bare Flask route, and prints the ratios as a table.

`python -m tests.benchmarks [--seconds N] [--quick] [PART…]`; needs Node.js, and `npm ci` in this folder (done if
missing), and Chromium for the part `watching`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.benchmarks.servers import HERE, Server, bare, fake, load, prism, prism_proxy, proxy
from tests.chromium import chromium
from tests.state.kept.databases import postgres

Row = tuple[str, str, str, str, bool]
Round = list[tuple[float, float]]
"""One turn of each server: microseconds of a processor that a request took it, and its rate."""
Spread = tuple[float, float, float]
"""Of several rounds: the median, the least, the greatest."""
NOISY = 1.25
"""How many times the least the greatest ratio is, in rounds that something else disturbed."""
BUSY = 0.5
"""The load of a machine that does something else."""
CHARGES = 200_000
"""Open charges that the flow of creating, finalizing and collecting may use up."""
ENOUGH = 5_000
"""Exchanges from which on the rate of checking them can be told."""
QUIET = ("--stripe-delay", "3600")


def main() -> None:
    options = _options()
    if not (HERE / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)
    console = Console(stderr=True)
    before = psutil.getloadavg()[0]
    rows: list[Row] = []
    parts = options.parts or [name for name in PARTS if not (options.quick and name == "million")]
    for number, name in enumerate(parts, 1):
        console.print(f"[{number}/{len(parts)}] {name} …", markup=False)
        rows += PARTS[name](options.seconds)
    _print(rows, before)
    sys.exit(0 if all(row[-1] for row in rows) else 1)


def listing(seconds: float) -> list[Row]:
    """`GET /billing/invoices`, 15 rows, validated both ways."""
    with fake(*QUIET) as ours, prism() as theirs, tempfile.NamedTemporaryFile() as file:
        file.write(_body(ours))
        file.flush()
        body = Path(file.name)
        with bare(body) as fronted, bare(body, wsgi=True) as plain:
            rounds = _rounds([ours, theirs, fronted, plain], "list", seconds)
    what = "list of 15 invoices"
    return [
        _by_rate(f"{what}, rate, of Prism's", rounds, 1, 5),
        _by_cost(f"{what}, CPU a request, of Prism's", rounds, 1, 0.3),
        _by_cost(f"{what}, CPU a request, of a bare Flask route's", rounds, 2, 1.5),
        _by_rate(f"{what}, rate, of a bare Flask route's", rounds, 2, 0.5),
        _by_cost(f"{what}, CPU a request, of a bare Flask route's on the WSGI interface", rounds, 3, 2),
    ]


def collecting(seconds: float) -> list[Row]:
    """Create, finalize and collect in sequence, each connection its own invoices."""
    with _much_to_invoice() as ours, prism() as theirs:
        rounds = _rounds([ours, theirs], "flow", seconds)
    what = "create, finalize, collect"
    return [_by_rate(f"{what}, rate, of Prism's", rounds, 1, 4), _by_cost(f"{what}, CPU, of Prism's", rounds, 1, 0.3)]


@contextmanager
def _much_to_invoice(*options: str) -> Iterator[Server]:
    """The fake with open charges for long."""
    with tempfile.TemporaryDirectory() as folder:
        fixture = Path(folder) / "charges.yaml"
        fixture.write_text(
            "description: charges to invoice\n"
            "merchants: [{id: 1, name: A, currency: USD, card: pm_card_visa},"
            " {id: 2, name: B, currency: USD, card: pm_card_visa}]\n"
            f"generate: {{charges: {CHARGES}, invoices: 0, seed: 1}}\n"
        )
        with fake("--fixture", str(fixture), *QUIET, *options) as server:
            yield server


def starting(_: float) -> list[Row]:
    """Seconds from the start of the process to its first answer."""
    mine, theirs = [], []
    for _ in range(5):
        with fake(*QUIET) as ours:
            mine.append(ours.ready_after)
        with prism() as peer:
            theirs.append(peer.ready_after)
    one, other = statistics.median(mine), statistics.median(theirs)
    return [_row("ready to answer, of Prism's time", one / other, 0.5, f"{one:.2f} s to {other:.2f} s", most=True)]


def worlds(seconds: float) -> list[Row]:
    """The rate of 200 connections in 200 worlds, against 200 connections in one."""
    with fake(*QUIET) as ours:
        load(ours, "worlds", seconds=1, connections=200, worlds=200)
        many, one = [], []
        for _ in range(3):
            many.append(load(ours, "worlds", seconds=seconds / 2, connections=200, worlds=200)["rate"])
            one.append(load(ours, "worlds", seconds=seconds / 2, connections=200, worlds=1)["rate"])
        first, again = _first_and_next(ours)
    mine, alone = statistics.median(many), statistics.median(one)
    made = (first - again) * 1000
    return [
        _row("200 worlds, of one world's rate", mine / alone, 0.8, f"{mine:,.0f}/s to {alone:,.0f}/s"),
        _row(
            "a new world of the default fixture, ms",
            made,
            1,
            f"{first * 1000:.2f} ms to {again * 1000:.2f} ms",
            most=True,
        ),
    ]


def _first_and_next(server: Server) -> tuple[float, float]:
    """Median seconds of the first request in a world, and of one more."""
    connection = http.client.HTTPConnection(server.base.removeprefix("http://").removesuffix("/api"))

    def asked(world: int) -> float:
        headers = {"Authorization": f"Bearer provider@new-{world}"}
        started = time.perf_counter()
        connection.request("GET", "/api/billing/invoices", headers=headers)
        connection.getresponse().read()
        return time.perf_counter() - started

    times = [(asked(world), asked(world)) for world in range(300)]
    return statistics.median(first for first, _ in times), statistics.median(again for _, again in times)


def tracing(seconds: float) -> list[Row]:
    """The rate with journal, trace, worlds and faults, against the same server without them."""
    with fake(*QUIET) as full, fake(*QUIET, traced=False) as plain:
        rounds = _rounds([full, plain], "list", seconds)
    what = "with journal, trace, worlds and faults"
    return [
        _by_rate(f"{what}, of the rate without", rounds, 1, 0.92),
        _by_cost(f"{what}, of the CPU a request without", rounds, 1, 1.09),
    ]


def watching(seconds: float) -> list[Row]:
    """What one open page of the dashboard costs: the server's own time for a request, and the rate on this machine."""
    costs, rates = [], []
    with fake(*QUIET) as server, chromium() as browser:
        load(server, "list", seconds=1)
        for _ in range(5):
            cost, rate = _load_and_cost(server, seconds)
            page = browser.new_page()
            page.goto(f"{server.base.removesuffix('/api')}/_mock/")
            page.locator("#stream[data-state=live]").wait_for()
            # What the journal has kept is shown first.
            page.wait_for_timeout(2000)
            watched_cost, watched_rate = _load_and_cost(server, seconds)
            page.close()
            costs.append((watched_cost / cost, f"{watched_cost:.0f} µs to {cost:.0f} µs"))
            rates.append((watched_rate / rate, f"{watched_rate:,.0f}/s to {rate:,.0f}/s"))
    # What a machine does beside it changes from minute to minute, but little from one round to the next.
    (cost, cost_told), (rate, rate_told) = (sorted(found)[len(found) // 2] for found in (costs, rates))
    return [
        _row("with a page open, of the server's time for a request without", cost, 1.1, cost_told, most=True),
        _row("with a page open, of the rate without", rate, 0.9, rate_told),
    ]


def keeping(seconds: float) -> list[Row]:
    """What keeping the worlds in a SQLite file costs, for lists and for changes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        with _much_to_invoice("--state", f"sqlite:///{folder}/team.db") as kept, _much_to_invoice() as plain:
            # What the fixture made is written with the first change.
            urllib.request.urlopen(_first_change(kept)).close()
            for kind, what, bound in (("list", "lists", 0.6), ("flow", "changes", 0.25)):
                rounds: list[Round] = []
                for number in range(6):
                    both = [
                        _load_and_cost(one, seconds, kind, firstCharge=1 + number * CHARGES // 6)
                        for one in (kept, plain)
                    ]
                    # The first is to warm up.
                    rounds += [both] if number else []
                rows += _compared(f"{what} with --state on SQLite", bound, rounds)
    return rows


def _first_change(server: Server) -> urllib.request.Request:
    headers = {"Authorization": "Bearer provider", "X-Selected-Client-Id": "1", "Content-Type": "application/json"}
    body = b'{"amount": 5, "description": "any"}'
    return urllib.request.Request(f"{server.base}/billing/charges/quick-adjustment", body, headers)


def sharing(seconds: float) -> list[Row]:
    """Two servers on one PostgreSQL, each with worlds of its own, against one of them.

    By processor time alone: the clients and the database are on the same few cores.
    """
    with postgres() as database:
        address = database.new_database()
        with fake("--state", address, *QUIET) as one, fake("--state", address, *QUIET) as other:
            rounds = []
            for number in range(6):
                alone = _load_and_cost(one, seconds, "worlds", worlds=20, token="provider@a")
                with ThreadPoolExecutor(2) as pool:
                    loads = [
                        pool.submit(_load_and_cost, server, seconds, "worlds", worlds=20, token=f"provider@{name}")
                        for name, server in (("a", one), ("b", other))
                    ]
                    costs, rates = zip(*(each.result() for each in loads), strict=True)
                # What both together do in a second of each one's processor.
                together = 1 / sum(1 / cost for cost in costs), sum(rates)
                rounds += [[together, alone]] if number else []
    return _compared("two servers on one PostgreSQL", 1.7, rounds)[:1]


def _compared(what: str, bound: float, rounds: list[Round]) -> list[Row]:
    """The first of each round against the second: by processor time, which holds on a busy machine too, and by rate."""
    worth = [[(1 / cost, rate) for cost, rate in one] for one in rounds]
    costs = _between([one[0][0] / one[1][0] for one in worth])
    return [
        _row(f"{what}, by processor time", costs, bound, _times(rounds, 1)),
        _by_rate(f"{what}, by rate", rounds, 1, bound),
    ]


def _rounds(servers: list[Server], kind: str, seconds: float) -> list[Round]:
    """Turns of all servers, one after the other, so that what a machine does beside it strikes all of them."""
    for server in servers:
        load(server, kind, seconds=1)
    return [
        [
            # Of what it has never made, a server without state refuses some.
            _load_and_cost(one, seconds, kind, may_refuse=place > 0, firstCharge=10_000 + number * CHARGES // 8)
            for place, one in enumerate(servers)
        ]
        for number in range(5)
    ]


def _by_rate(what: str, rounds: list[Round], other: int, bound: float) -> Row:
    """The rate of each round's first server, of that of another."""
    rates = [statistics.median(one[place][1] for one in rounds) for place in (0, other)]
    ratios = _between([one[0][1] / one[other][1] for one in rounds])
    return _row(what, ratios, bound, f"{rates[0]:,.0f}/s to {rates[1]:,.0f}/s")


def _by_cost(what: str, rounds: list[Round], other: int, bound: float) -> Row:
    """The processor time that a request takes each round's first server, of what it takes another."""
    ratios = _between([one[0][0] / one[other][0] for one in rounds])
    return _row(what, ratios, bound, _times(rounds, other), most=True)


def _times(rounds: list[Round], other: int) -> str:
    mine, others = (statistics.median(one[place][0] for one in rounds) for place in (0, other))
    return f"{mine:.0f} µs to {others:.0f} µs a request"


def _between(found: list[float]) -> Spread:
    return statistics.median(found), min(found), max(found)


def _load_and_cost(
    server: Server, seconds: float, kind: str = "list", *, may_refuse: bool = False, **more: Any
) -> tuple[float, float]:
    """Microseconds of a processor that a request took the server, and its rate."""
    before = server.busy()
    result = load(server, kind, seconds=seconds, **more)
    if result["errors"] or (result["refused"] and not may_refuse):
        raise RuntimeError(f"{server.base}: {result}")
    return (server.busy() - before) / result["requests"] * 1e6, result["rate"]


def proxying(seconds: float) -> list[Row]:
    """Both proxies in front of the same fake, and what ours adds to the time of one request."""
    with fake(*QUIET) as behind, proxy(behind) as ours, prism_proxy(behind) as theirs:
        rates = _rounds([ours, theirs], "list", seconds)
        # What else a machine does only ever adds to a time.
        rounds = [(_page_time(ours, ""), _page_time(behind, "")) for _ in range(5)]
        added = (min(one for one, _ in rounds) - min(other for _, other in rounds)) * 1000
    return [
        _by_rate("through the proxy, of the rate of Prism's", rates, 1, 0.6),
        _row("added by the proxy to a request, ms at the median", added, 2, f"{added:.2f} ms", most=True),
    ]


def checking(seconds: float) -> list[Row]:
    """Recorded exchanges that are checked in a second of CPU time: lists, creates, finalizes and collects, as HAR."""
    entries: list[Any] = []
    with _much_to_invoice("--journal-size", "100000") as server:
        while len(entries) < ENOUGH:
            load(server, "flow", seconds=seconds / 2, connections=2, firstCharge=1 + len(entries))
            load(server, "list", seconds=seconds / 10, connections=1)
            entries = _recorded(server)
    with tempfile.TemporaryDirectory() as folder:
        file, taken = Path(folder) / "session.har", []
        for count in (1, len(entries)):
            file.write_text(json.dumps({"log": {"entries": entries[:count]}}))
            taken.append(_checked(file))
    rate = (len(entries) - 1) / (taken[1] - taken[0])
    what = f"{rate:,.0f}/s, of {len(entries):,}"
    return [_row("recorded exchanges checked in a second of CPU time, of 5,000", rate / 5000, 1, what)]


def _recorded(server: Server) -> list[Any]:
    """The entries of a fake's journal as HAR."""
    entries: list[Any] = []
    while True:
        request = urllib.request.Request(
            f"{server.base.removesuffix('/api')}/_mock/journal?format=har&limit=1000&since={len(entries)}",
            headers={"Authorization": "Bearer provider"},
        )
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)["log"]["entries"]
        if not page:
            return entries
        entries += page


def _checked(file: Path) -> float:
    """Seconds of CPU time that checking the file takes; raises `CalledProcessError` for a breach."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-m", "mockserver", "check", file], stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def million(_: float) -> list[Row]:
    """A million invoices: time, memory, and its pages against those of a thousand."""
    searches = ['id>"500"', 'id:"777"', 'created_at$DATE>="2026-03-01"', 'created_at$DATE:"2026-05-05"', ""]
    with fake("--fixture", "large:1000", *QUIET) as small:
        quick = {q: _page_time(small, q) for q in searches}
    with fake("--fixture", "large:1000000", *QUIET) as large:
        slow = {q: _page_time(large, q) for q in searches}
        memory, seconds = large.memory() / 1e9, large.ready_after
    worst = max(searches, key=lambda q: slow[q] / quick[q])
    return [
        _row("a million invoices, seconds until ready", seconds, 60, f"{seconds:.0f} s", most=True),
        _row("a million invoices, GB", memory, 1, f"{memory:.2f} GB", most=True),
        _row(
            "slowest page at a million, of its time at a thousand",
            slow[worst] / quick[worst],
            5,
            f"{slow[worst] * 1000:.2f} ms to {quick[worst] * 1000:.2f} ms: {worst or 'no search'}",
            most=True,
        ),
    ]


def _body(server: Server) -> bytes:
    request = urllib.request.Request(f"{server.base}/billing/invoices", headers={"Authorization": "Bearer provider"})
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
    return body


def _page_time(server: Server, q: str) -> float:
    """Median seconds of a page of that search, first and later pages alike."""
    times = []
    for number in [1, 2, 5, 10] * 8:
        query = urllib.parse.urlencode({"page": number, **({"q": q} if q else {})})
        request = urllib.request.Request(
            f"{server.base}/billing/invoices?{query}", headers={"Authorization": "Bearer provider"}
        )
        started = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            answer.read()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _row(what: str, found: float | Spread, bound: float, detail: str, *, most: bool = False) -> Row:
    """A row of the table; of a spread the median counts."""
    median, *ends = found if isinstance(found, tuple) else (found,)
    good = median <= bound if most else median >= bound
    if ends:
        noisy = ", noisy" if ends[1] > NOISY * ends[0] else ""
        detail = f"{detail}; {ends[0]:.2f} to {ends[1]:.2f}{noisy}"
    return (what, f"{median:.2f}", f"{'at most' if most else 'at least'} {bound:g}", detail, good)


def _print(rows: list[Row], before: float) -> None:
    machine = (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {before:.1f} before"
    )
    table = Table(title=f"Measured on {machine}", title_justify="left")
    for column in ("What", "Ratio", "Goal", "Measured", ""):
        table.add_column(column)
    for what, ratio, goal, detail, good in rows:
        table.add_row(what, ratio, goal, detail, "✓" if good else "✗")
    Console().print(table)
    if before > BUSY:
        Console().print(f"This machine was busy before it began (load {before:.1f}): measure again on a quiet one.")


PARTS: dict[str, Callable[[float], list[Row]]] = {
    part.__name__: part
    for part in (
        listing,
        collecting,
        starting,
        worlds,
        tracing,
        keeping,
        sharing,
        watching,
        proxying,
        checking,
        million,
    )
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=5, help="length of each load")
    parser.add_argument("--quick", action="store_true", help="leave out the million invoices")
    return parser.parse_args()


if __name__ == "__main__":
    main()
