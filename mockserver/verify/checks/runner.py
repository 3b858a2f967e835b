"""What a check is, and how one is run: whatever happens in it ends as evidence, a reason, or the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isgeneratorfunction
from typing import TypeVar

from mockserver.verify.assertions.recorder import FoundBy
from mockserver.verify.assertions.statements import status_of
from mockserver.verify.claims.claims import CannotTell
from mockserver.verify.context.context import Context
from mockserver.verify.discovery import find_api
from mockserver.verify.errors import NoAnswer, NoApi, NotPossible, OutOfTime, ServerGone, Stop
from mockserver.verify.events import RecordedExchange
from mockserver.verify.transport.safety import Withheld

T = TypeVar("T")
Steps = Iterator[None]
"""What a check has still to do: it yields where other checks may go on until the queue for Stripe has had its turn."""


@dataclass(frozen=True, slots=True)
class Check:
    """One way of putting rules to the test. Each check makes its own records, so that any can run alone."""

    name: str
    rules: tuple[str, ...]
    run: Callable[[Context], Steps | None]
    found_by: FoundBy = "scenario"
    thorough: bool = field(default=False, kw_only=True)
    """Whether it looks further at rules that others have put to the test; a slow server meets it last."""

    @property
    def waits(self) -> bool:
        """Whether it may have to wait for the queue for Stripe."""
        return isgeneratorfunction(self.run)


def begin_check(check: Check, context: Context) -> Steps | None:
    """Runs one check as far as it goes without waiting; None at its end. Raises as `run_check` does."""
    return _guarded(check, context, lambda: _begun(_steps(check, context)))


def run_check(check: Check, context: Context, steps: Steps | None = None) -> None:
    """Runs one check, or the `steps` that are left of it, to the end. Raises `OutOfTime` and `ServerGone` only."""
    # What was not answered is tried once more from the beginning.
    left = [steps] if steps is not None else []
    _guarded(check, context, lambda: _ended(left.pop() if left else _steps(check, context)))


def _steps(check: Check, context: Context) -> Steps:
    yield from check.run(context) or ()


def _begun(steps: Steps) -> Steps | None:
    for _ in steps:
        return steps
    return None


def _ended(steps: Steps) -> None:
    for _ in steps:
        pass


def _guarded(check: Check, context: Context, run: Callable[[], T]) -> T | None:
    """What `run` returns; whatever else happens in it is recorded as evidence or as a reason, and None is returned."""
    context.recorder.found_by = check.found_by
    failures: list[tuple[NoAnswer, list[RecordedExchange]]] = []
    for _ in range(2):
        with context.transport.trail() as trail:
            try:
                with held_back(context):
                    return run()
            except Stop:
                return None
            except NotPossible as reason:
                context.recorder.skipped(str(reason), check.rules, matters=reason.matters)
                return None
            except CannotTell as odd:
                # The rules of form have told it.
                context.recorder.skipped(f"an answer is of another form: {odd}", check.rules)
                return None
            except Withheld:
                context.recorder.skipped(withheld(context), check.rules)
                return None
            except NoAnswer as failure:
                failures.append((failure, list(trail)[-2:]))
        still_there(context)
    _unanswered(check, context, failures)
    return None


@contextmanager
def held_back(context: Context) -> Iterator[None]:
    """Breaches found inside count only if the server is still the API afterwards.

    A server that dies, turns into a login page or forgets its token half-way breaks no rule: it is gone, which is
    raised as `ServerGone`, and what seemed broken meanwhile is dropped.
    """
    context.recorder.begin()
    try:
        yield
    finally:
        if not context.recorder.has_pending:
            context.recorder.commit()
        else:
            _release(context)


def still_there(context: Context) -> None:
    """Raises `ServerGone` when what answers is not the API any more."""
    try:
        find_api(context.me)
    except (NoApi, NoAnswer) as trouble:
        raise ServerGone(str(trouble)) from trouble


def _release(context: Context) -> None:
    try:
        still_there(context)
    except ServerGone:
        context.recorder.rollback()
        raise
    except OutOfTime:
        # Nothing speaks against the server's being there.
        context.recorder.commit()
        raise
    context.recorder.commit()


def withheld(context: Context) -> str:
    """Why the guard keeps requests back in this run."""
    if context.options.read_only:
        return "this run is read-only"
    return "no charge is made on a host that is no loopback address (--allow-charges)"


def _unanswered(check: Check, context: Context, failures: Iterable[tuple[NoAnswer, list[RecordedExchange]]]) -> None:
    """The server lives, but one request brought no answer, twice."""
    for failure, trail in failures:
        context.recorder.skipped(f"a request was not answered: {failure.words}", check.rules)
        if failure.kind in ("timeout", "unsendable", "unreachable", "tls", "too_long") or not trail:
            context.recorder.note(f"{check.name}: {failure.words}", warning=True)
            continue
        request = trail[-1]
        path = request.url.partition("/billing")[2].partition("?")[0]
        shape = "/".join("N" if part.isdigit() else part for part in path.split("/"))
        context.expect.breach(
            "GEN-1" if failure.kind in ("truncated", "unreadable") else "GEN-5",
            status_of(request).differs(None),
            kind=f"{request.method} {shape} {failure.kind}",
            because="each request is answered, with JSON",
            actual=failure.words,
        )
