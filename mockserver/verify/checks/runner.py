"""What a check is, and how one is run: whatever happens in it ends as evidence, a reason, or the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.verify.context import Bench
from mockserver.verify.discovery import find_api
from mockserver.verify.errors import NoAnswer, NoApi, NotPossible, OutOfTime, ServerGone, Stop
from mockserver.verify.events import Exchange
from mockserver.verify.recorder import FoundBy
from mockserver.verify.transport.safety import Withheld


@dataclass(frozen=True, slots=True)
class Check:
    """One way of putting rules to the test. Each check makes its own records, so that any can run alone."""

    name: str
    rules: tuple[str, ...]
    run: Callable[[Bench], None]
    found_by: FoundBy = "scenario"


def run_check(check: Check, bench: Bench) -> None:
    """Runs one check. Raises `OutOfTime` and `ServerGone` only."""
    bench.court.found_by = check.found_by
    failures: list[tuple[NoAnswer, list[Exchange]]] = []
    for _ in range(2):
        with bench.transport.trail() as trail:
            try:
                with held_back(bench):
                    check.run(bench)
                return
            except Stop:
                return
            except NotPossible as reason:
                bench.court.untried(str(reason), check.rules, matters=reason.matters)
                return
            except Withheld:
                bench.court.untried(withheld(bench), check.rules)
                return
            except NoAnswer as failure:
                failures.append((failure, trail[-2:]))
        still_there(bench)
    _unanswered(check, bench, failures)


@contextmanager
def held_back(bench: Bench) -> Iterator[None]:
    """Breaches found inside count only if the server is still the API afterwards.

    A server that dies, turns into a login page or forgets its token half-way breaks no rule: it is gone, which is
    raised as `ServerGone`, and what seemed broken meanwhile is dropped.
    """
    bench.court.hold()
    try:
        yield
    finally:
        if not bench.court.holds_breaches:
            bench.court.release()
        else:
            _release(bench)


def still_there(bench: Bench) -> None:
    """Raises `ServerGone` when what answers is not the API any more."""
    try:
        find_api(bench.me)
    except (NoApi, NoAnswer) as trouble:
        raise ServerGone(str(trouble)) from trouble


def _release(bench: Bench) -> None:
    try:
        still_there(bench)
    except ServerGone:
        bench.court.drop()
        raise
    except OutOfTime:
        # Nothing speaks against the server's being there.
        bench.court.release()
        raise
    bench.court.release()


def withheld(bench: Bench) -> str:
    """Why the guard keeps requests back in this run."""
    if bench.options.read_only:
        return "this run is read-only"
    return "no charge is made on a host that is no loopback address (--allow-charges)"


def _unanswered(check: Check, bench: Bench, failures: Iterable[tuple[NoAnswer, list[Exchange]]]) -> None:
    """The server lives, but one request brought no answer, twice."""
    for failure, trail in failures:
        bench.court.untried(f"a request was not answered: {failure.words}", check.rules)
        if failure.kind in ("timeout", "unsendable", "unreachable", "tls") or not trail:
            bench.court.note(f"{check.name}: {failure.words}", warning=True)
            continue
        request = trail[-1]
        path = request.url.partition("/billing")[2].partition("?")[0]
        shape = "/".join("N" if part.isdigit() else part for part in path.split("/"))
        bench.court.broken(
            "GEN-1" if failure.kind in ("truncated", "unreadable") else "GEN-5",
            kind=f"{request.method} {shape} {failure.kind}",
            expected="each request is answered, with JSON",
            actual=failure.words,
            exchanges=[request],
        )
