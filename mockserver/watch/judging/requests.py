"""What the spec has against the requests of a client, which is no fault of the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from mockserver.contract.contract import Contract, Operation
from mockserver.core.messages import Request
from mockserver.traffic.checking import request_problems
from mockserver.watch.passing import Pairs, Passing

MOST_KINDS = 50
"""Kinds of problems that are told apart."""
_READ = frozenset({"content-type", "x-selected-client-id"})


class Requests:
    """Counts what is wrong with requests, by operation and problem."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._met: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._problems = lru_cache(maxsize=2048)(self._asked)

    def see(self, passing: Passing, operation: Operation) -> tuple[str, ...]:
        """What the spec has against this request."""
        problems = self._problems(operation, passing.target, _that_are_read(passing.headers), passing.body)
        for problem in problems:
            kind = f"{operation.id}: {problem}"
            if kind in self._met or len(self._met) < MOST_KINDS:
                self._met[kind] += 1
                self._first.setdefault(kind, passing.where())
        return problems

    def notes(self) -> Iterator[str]:
        """A sentence for each kind."""
        for kind, times in self._met.most_common():
            often = "" if times == 1 else f", {times:,} times"
            yield f"a request is not as the spec wants it: {kind} ({self._first[kind]}{often})"

    def _asked(self, operation: Operation, target: str, headers: Pairs, body: bytes) -> tuple[str, ...]:
        path, _, query = target.partition("?")
        plain = unquote_to_bytes(path).decode("latin-1").removesuffix("/")
        _, params = self._contract.route(operation.method, path.removesuffix("/"))
        # Whether a token is there is not the question, and what is exported from a browser has none.
        given = {**dict(headers), "authorization": "Bearer token", "accept": "application/json"}
        request = Request(operation.method, plain, query, given, body)
        return tuple(request_problems(self._contract, operation, params, request))


@lru_cache(maxsize=64)
def _that_are_read(headers: Pairs) -> Pairs:
    # A client sends the same headers again and again.
    return tuple((lower, value) for name, value in headers if (lower := name.lower()) in _READ)
