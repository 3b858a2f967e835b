"""How many faulty servers plain client traffic through the proxy gives away, and how many validation by schema alone.

`python -m tests.watch.teeth` goes through all faulty servers, `--correct` through all correct ones, which must raise no
alarm.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from rich.console import Console
from rich.table import Table

from mockserver.verify.events import BreachFound
from mockserver.watch.passing import Passing
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import Mutant, ServerConfig
from tests.mutants.frameworks import parties
from tests.mutants.frameworks.variants import Variant, started
from tests.mutants.run_table import CONFORMING
from tests.mutants.server import running
from tests.watch.clients import Tap, crowd
from tests.watch.proxying import proxied
from tests.watch.traffic import CONTRACT

Callers: TypeAlias = Sequence[tuple[str, str | None]]
"""Token and merchant of each client."""
PLAIN: Callers = [("provider", "1"), ("provider", "2"), ("provider", "3")]
"""A prep centre that works for three merchants, the last of whom has a card that declines."""
AT_ONCE: Callers = [("merchant1", "1"), ("merchant1", "1"), ("merchant2", "2"), ("provider", "1"), ("provider", None)]
_TOKEN, _OTHER = (token.value for token in parties.TOKENS[:2])
ON_FRAMEWORKS: Callers = [
    (_TOKEN, str(parties.PAYING)),
    (_TOKEN, str(parties.PAYING)),
    (_TOKEN, str(parties.DECLINING)),
    (_OTHER, str(parties.OTHER)),
    (_TOKEN, None),
]


@dataclass(slots=True)
class SchemaAlone:
    """What a validating proxy sees: each answer by itself, by its schema."""

    found: set[str] = field(default_factory=set)

    def see(self, passing: Passing) -> None:
        operation = CONTRACT.addressed(passing.method, passing.target)
        if operation is None:
            return
        try:
            content = orjson.loads(passing.answer or b"")
        except orjson.JSONDecodeError:
            self.found.add(f"{operation.id}: no JSON")
            return
        if CONTRACT.documented(operation, passing.status) is None:
            self.found.add(f"{operation.id}: {passing.status}")
        self.found.update(flaw.keyword for flaw in CONTRACT.flaws(operation, passing.status, content))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one server."""

    rules: frozenset[str]
    """The rules that the proxy saw broken."""
    breaches: tuple[str, ...]
    schema: bool
    """Whether the schema alone tells."""


def watch(server: AbstractContextManager[str], callers: Callers, *, length: int) -> Seen:
    """Has clients work with the server at that address through the proxy."""
    alone = SchemaAlone()
    with server as url, proxied(url) as proxy:
        crowd(Tap(proxy.url, alone.see), callers, length=length)
        proxy.stop()
    found = [event.breach for event in proxy.events if isinstance(event, BreachFound)]
    told = dict.fromkeys(f"{breach.identity}: {breach.actual}" for breach in found)
    return Seen(frozenset(breach.rule for breach in found), tuple(told), bool(alone.found))


@contextmanager
def _live(config: ServerConfig | Variant) -> Iterator[str]:
    """The address of such a server."""
    if isinstance(config, Variant):
        with started(config) as on_framework:
            yield on_framework.base_url
    else:
        with running(config) as reference:
            yield reference.url


def faults(chosen: Mapping[str, Mutant], console: Console) -> int:
    """The table, by area; a line for each server."""
    total, caught, named, schema = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for name, fault in chosen.items():
        seen = watch(_live(fault), PLAIN, length=20)
        total[fault.area] += 1
        caught[fault.area] += bool(seen.rules)
        named[fault.area] += bool(seen.rules & set(fault.rules))
        schema[fault.area] += seen.schema
        console.print(f"{name} ({fault.area}): {', '.join(sorted(seen.rules)) or '-'}", highlight=False)
    table = Table("area", "faulty servers", "given away", "by a rule it breaks", "by the schema alone")
    for area in total:
        table.add_row(area, *(str(count[area]) for count in (total, caught, named, schema)))
    table.add_row("all", *(str(count.total()) for count in (total, caught, named, schema)))
    console.print(table)
    return 0


def correct(chosen: Mapping[str, ServerConfig | Variant], console: Console) -> int:
    """How many raise an alarm: the exit code."""
    alarms = 0
    for name, config in chosen.items():
        seen = watch(_live(config), ON_FRAMEWORKS if isinstance(config, Variant) else AT_ONCE, length=20)
        alarms += bool(seen.rules)
        console.print(f"{name}: {'; '.join(seen.breaches) or 'no alarm'}", highlight=False)
    console.print(f"{alarms} of {len(chosen)} correct servers raise an alarm")
    return min(alarms, 1)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.watch.teeth", description=__doc__)
    parser.add_argument("names", nargs="*", help="these servers, or areas of faults, alone")
    parser.add_argument("--correct", action="store_true", help="the correct servers")
    given = parser.parse_args(arguments)
    available: Mapping[str, Any] = CONFORMING if given.correct else FAULTS
    chosen = {name: what for name, what in available.items() if not given.names or _is_named(name, what, given.names)}
    return (correct if given.correct else faults)(chosen, Console())


def _is_named(name: str, what: object, names: Sequence[str]) -> bool:
    return name in names or (isinstance(what, Mutant) and what.area in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
