"""Runs the verifier on every server, prints what came of it as a table, and writes it to a file."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import Mutant, ServerConfig
from tests.mutants.conforming import LEGAL
from tests.mutants.frameworks.variants import Variant, startable
from tests.mutants.judging import Job, Raw, Row, judge
from tests.mutants.non_apis import NON_APIS, NonApi
from tests.mutants.showing import tables, write

CONFORMING: Mapping[str, ServerConfig | Variant] = {**LEGAL, **startable()}
"""The correct servers: the reference in its variants, and those on other frameworks that are installed."""
WIDTH = 180
"""Columns, where the table does not go to a terminal."""


class UnknownName(ValueError):
    """None of the servers, and no area of faults, is called so."""


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.run_table", description=__doc__)
    group = parser.add_argument_group("servers (all of them when none of these is given)")
    group.add_argument("--faults", nargs="*", metavar="NAME|AREA", help="all faults, or these")
    group.add_argument("--legal", nargs="*", metavar="NAME", help="all legal servers, or these")
    group.add_argument("--non-apis", nargs="*", metavar="NAME", help="all that is no API, or these")
    parser.add_argument("--seed", type=int, default=1, help="the seed, or the first one")
    parser.add_argument("--seeds", type=int, default=5, help="seeds for each legal server")
    parser.add_argument("--raw", action="store_true", help="run Schemathesis alone on the faults, too")
    parser.add_argument("--plain", action="store_true", help="try the plain scenarios on the faults, too")
    parser.add_argument(
        "--option", action="append", default=[], metavar="=OPTION", help="one more for the verifier: --option=--no-fuzz"
    )
    parser.add_argument("--no-verify", action="store_true", help="do without the verifier")
    parser.add_argument("--jobs", type=int, default=1, help="how many servers at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows and the totals there")
    return parser.parse_args(arguments)


def chosen(
    available: Mapping[str, ServerConfig | NonApi | Variant], names: Sequence[str] | None
) -> list[ServerConfig | NonApi | Variant]:
    """Those of these names, or of these areas; all when there are no names; raises UnknownName."""
    if names is None:
        return []
    areas = {what.area for what in available.values() if isinstance(what, Mutant)}
    unknown = set(names) - available.keys() - areas
    if unknown:
        raise UnknownName(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(available)}")
    return [
        what
        for name, what in available.items()
        if not names or name in names or (isinstance(what, Mutant) and what.area in names)
    ]


def jobs_of(given: argparse.Namespace) -> list[Job]:
    """What is to be judged, everything when nothing was asked for; raises UnknownName."""
    everything = given.faults is None and given.legal is None and given.non_apis is None
    faults, legal, non_apis = ([], [], []) if everything else (given.faults, given.legal, given.non_apis)
    once = [*chosen(FAULTS, faults), *chosen(NON_APIS, non_apis)]
    jobs = [Job(what, given.seed, tuple(given.option)) for what in once]
    seeds = range(given.seed, given.seed + given.seeds)
    return jobs + [Job(what, seed, tuple(given.option)) for what in chosen(CONFORMING, legal) for seed in seeds]


def work(jobs: Sequence[Job], given: argparse.Namespace, console: Console) -> list[Row]:
    """All jobs, some at a time, with their progress shown; in the order of the jobs."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    raw = Raw() if given.raw else None
    rows: dict[int, Row] = {}
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(given.jobs) as pool:
        task = progress.add_task("servers", total=len(jobs))
        places = {
            pool.submit(judge, job, ours=not given.no_verify, raw=raw, plain=given.plain): place
            for place, job in enumerate(jobs)
        }
        for future in as_completed(places):
            row = rows[places[future]] = future.result()
            if failed([row]):
                progress.console.print(
                    f"{row.kind} {row.name}, seed {row.seed}: exit {row.exit}, named {list(row.named)} {row.words}"
                )
            progress.advance(task)
    return [rows[place] for place in sorted(rows)]


def failed(rows: Iterable[Row]) -> list[Row]:
    """Those where the verifier ends with a wrong code or names none of the rules, or no scenario sees the fault."""
    return [row for row in rows if row.right_exit is False or row.named_right is False or row.plain == ""]


def main(arguments: Sequence[str]) -> int:
    """1 when something failed, 2 for a name that isn't there."""
    given = read_arguments(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        jobs = jobs_of(given)
    except UnknownName as error:
        console.print(str(error))
        return 2
    rows = work(jobs, given, console)
    for table in tables(rows):
        console.print(table)
    if given.json:
        write(given.json, rows)
    return 1 if failed(rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
