"""What the replay of a breach shows, without ids and values: breaches that show the same are told as one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from mockserver.verify.assertions.statements import failing, reply_of
from mockserver.verify.claims.claims import (
    Body,
    CannotTell,
    Each,
    Every,
    Get,
    Is,
    IsJson,
    LiveAnswer,
    Some,
    Status,
    Where,
    nodes,
)
from mockserver.verify.claims.evaluation import value
from mockserver.verify.events import Breach, RecordedExchange

Symptom = tuple[str, ...]
"""What is wrong, and where. Where a thing is wrong in itself, such as a text in the place of a number, it is wrong
everywhere for one reason; else it belongs to the request that led to it."""

_SCHEMA = re.compile(r'^(?P<value>.+?) is not of type ".*?Schema at \S*/properties/(?P<name>[^/:\s]+)', re.DOTALL)


def symptoms(breach: Breach) -> frozenset[Symptom]:
    """All that it shows; a symptom of its own where nothing can be told from its answers."""
    found = frozenset(_symptoms(breach))
    return found or frozenset({("alone", breach.identity)})


def path_of(exchange: RecordedExchange) -> str:
    """The path below the base address, with `{id}` in the place of numbers."""
    path = urlsplit(exchange.url).path
    path = path[max(path.find("/billing"), 0) :]
    return "/".join("{id}" if part.isdigit() else part for part in path.split("/"))


def _symptoms(breach: Breach) -> Iterator[Symptom]:
    if (schema := _SCHEMA.match(breach.actual)) is not None:
        yield _of_type(schema["name"], _parsed(schema["value"]))
        return
    if breach.check is None:
        return
    replies = {place: reply_of(exchange) for place, exchange in enumerate(breach.exchanges)}
    try:
        parts = list(failing(breach.check, replies))
        # Where a refusal would have been as good, what was done instead is what is wrong.
        parts.sort(key=lambda part: isinstance(breach.check, Some) and isinstance(part.left, Status))
        # The first is what the breach says; what follows it fails with it.
        for part in parts[:1]:
            yield from _part(part, breach, replies)
    except (CannotTell, KeyError):
        # An answer is missing, or of another form, so that it is nothing to compare.
        return


def _part(part: Is | Every, breach: Breach, replies: Mapping[int, LiveAnswer]) -> Iterator[Symptom]:
    if isinstance(part.left, Status):
        yield from _status(breach, part.left.answer)
        return
    last = _last(part, breach)
    status = replies[last].status or 0
    if not replies[last].is_json:
        yield ("no JSON", "a refusal" if status >= 400 else path_of(breach.exchanges[last]))
        return
    names = [(node, _name(node)) for side in (part.left, part.right) for node in nodes(side)]
    node, name = next(((node, name) for node, name in names if name), (None, ""))
    came, due = value(part.left, replies), value(part.right, replies)
    odd = next((one for one in (came if isinstance(came, list) else [came]) if _is_other(one, due, part)), None)
    if status >= 400 and name in ("message", "errors"):
        yield ("form of a refusal", name)
    elif node is part.left and odd is not None:
        yield _of_type(name, odd)
    elif part.operator == "matches":
        yield ("form", name)
    else:
        yield from _values(breach, breach.exchanges[last], node, name)


def _last(part: Is | Every, breach: Breach) -> int:
    """The place of the latest answer that is spoken of."""
    spoken = [one for side in (part.left, part.right) for one in nodes(side)]
    return max((one.answer for one in spoken if isinstance(one, Body | IsJson)), default=len(breach.exchanges) - 1)


def _name(node: object) -> str:
    steps = node.path if isinstance(node, Get | Each | Where) else ()
    return next((str(step) for step in reversed(steps) if isinstance(step, str) and step not in ("data", "")), "")


def _is_other(came: object, due: object, part: Is | Every) -> bool:
    """Whether a value is of another type than it must be."""
    if part.operator == "is a":
        types = due if isinstance(due, list | tuple) else [due]
        return _type(came) not in types and not (_type(came) == "integer" and "number" in types)
    plain = {"string", "number", "integer"}
    kinds = {_type(came), _type(due)}
    return not isinstance(due, list) and kinds <= plain and "string" in kinds and len(kinds) == 2


def _of_type(name: str, came: object) -> Symptom:
    return ("type", name, _type(came))


def _type(came: object) -> str:
    if came is None or isinstance(came, bool):
        return "null" if came is None else "boolean"
    if isinstance(came, str | int):
        return "string" if isinstance(came, str) else "integer"
    return "object" if isinstance(came, Mapping) else "array" if isinstance(came, list | tuple) else "number"


def _values(breach: Breach, judged: RecordedExchange, node: object, name: str) -> Iterator[Symptom]:
    """A right type and a wrong value: of a page by what it was asked for, of a record by what was done to it."""
    is_row = not name or (isinstance(node, Each) and name == "id")
    is_figure = isinstance(node, Get) and isinstance(node.of, Body) and node.path == (name,)
    if judged.method == "GET" and (is_row or is_figure):
        for asked in _asked(judged):
            # Whatever a search gets wrong shows in its rows and in its figures.
            yield ("list", "" if asked == "q" or is_row else name, path_of(judged), asked)
        return
    done = [one for one in breach.exchanges[: breach.exchanges.index(judged) + 1] if one.method != "GET"] or [judged]
    yield ("value", name, path_of(done[-1]))


def _asked(exchange: RecordedExchange) -> list[str]:
    names = dict(parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)).keys()
    return ["q"] if "q" in names else sorted(names & {"page", "per_page"}) or [""]


def _status(breach: Breach, place: int) -> Iterator[Symptom]:
    exchange = breach.exchanges[place]
    status, path = exchange.status, path_of(exchange)
    if status is None:
        yield ("no answer", path, exchange.method)
    elif status >= 500:
        yield from (("fails", path, exchange.method, name) for name in _parameters(exchange) or [""])
    elif status >= 400:
        yield ("refuses", path, exchange.method, str(status), re.sub(r"\d+", "N", exchange.brief()))
    elif status >= 300:
        yield ("redirects", str(status))
    elif (caller := _caller(exchange)) != "TOKEN":
        yield ("lets in", caller)
    else:
        before = {path_of(one) for one in breach.exchanges[:place] if one.method != "GET"}
        yield ("takes", path, exchange.method, *sorted(before))


def _parameters(exchange: RecordedExchange) -> list[str]:
    """The names of what was sent, in the query and in the body."""
    names = {name for name, _ in parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)}
    body = _parsed((exchange.body or b"").decode("utf-8", "replace"))
    if isinstance(body, dict):
        names |= body.keys()
    elif exchange.body:
        names.add("body")
    return sorted(names - {"api_token"})


def _caller(exchange: RecordedExchange) -> str:
    """Whose token the request has: TOKEN, OTHER_TOKEN, or, where there is none or one that nobody gave, nobody's."""
    said = [text.removeprefix("Bearer ") for name, text in exchange.headers if name.lower() == "authorization"]
    said += [text for name, text in parse_qsl(urlsplit(exchange.url).query) if name == "api_token"]
    return next((name for name in ("OTHER_TOKEN", "TOKEN") if f"${name}" in said), "nobody")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
