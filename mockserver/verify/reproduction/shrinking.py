"""Makes the sequence of a breach shorter and its requests plainer, as long as the breach still shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from mockserver.verify.assertions.expect import moved
from mockserver.verify.claims.claims import Claim, Const, Is, IsJson, Status, answers_of
from mockserver.verify.events import Breach, RecordedExchange
from mockserver.verify.replay.id_tracing import Key, named_in, producers, thread
from mockserver.verify.replay.ledger import clears

USUAL_HEADERS = frozenset({"accept", "authorization", "content-type", "x-selected-client-id"})
LONG = 12
"""Characters of a value, from where on a shorter one is tried."""

Shows = Callable[[Breach], bool]


def shrunk(breach: Breach, shows: Shows) -> Breach:
    """The plainest variant that `shows` the breach; each that is tried is one run of the sequence."""
    for place in reversed(range(len(breach.exchanges))):
        shorter = without(breach, place)
        if shorter is not None and shows(shorter):
            breach = shorter
    if breach.check is not None and _is_of_form(breach.check):
        for place in sorted(answers_of(breach.check)):
            breach = _plainer(breach, place, shows)
    return breach


def without(breach: Breach, place: int) -> Breach | None:
    """The breach without one exchange; None where the rest needs it.

    What was done with the records that are judged is what makes the claim a rule: another create of a charge must be
    refused because of the first one. Only what was refused, what reads, and what is about other records may go.
    """
    exchange = breach.exchanges[place]
    if breach.check is None or place in answers_of(breach.check):
        return None
    if any(ref.answer == place for threaded in thread(breach.exchanges) for ref in threaded.ids):
        return None
    is_harmless = exchange.method == "GET" or exchange.status in range(400, 500) or _is_of_form(breach.check)
    if not is_harmless and _is_about_them(breach, place):
        return None
    kept = [number for number in range(len(breach.exchanges)) if number != place]
    check = moved(breach.check, {number: new for new, number in enumerate(kept)})
    return replace(breach, exchanges=tuple(breach.exchanges[number] for number in kept), check=check)


def _is_about_them(breach: Breach, place: int) -> bool:
    """Whether an exchange has to do with the records that are judged, however many others lie between."""
    if breach.check is None:
        return True
    made: dict[int, set[Key]] = {}
    for key, ref in producers(breach.exchanges).items():
        made.setdefault(ref.answer, set()).add(key)
    about = [{*named_in(one), *made.get(number, ())} for number, one in enumerate(breach.exchanges)]
    judged = [breach.exchanges[number] for number in answers_of(breach.check)]
    # A create that names no charge may have taken any.
    if not about[place] or any(map(clears, [breach.exchanges[place], *judged])):
        return True
    known = set().union(*(about[number] for number in answers_of(breach.check)))
    for _ in about:
        known.update(*(keys for keys in about if keys & known))
    return bool(about[place] & known)


def _is_of_form(claim: Claim) -> bool:
    """Whether the claim must hold in any state and of the answer to any request of that caller."""
    match claim:
        case Is(Status(), "<", Const(value=500)) | Is(Status(), "is", Const(value=401)):
            return True
        case Is(IsJson(), "is", Const(value=True)):
            return True
        case _:
            return False


def _plainer(breach: Breach, place: int, shows: Shows) -> Breach:
    """Takes from one request what the breach does not need, one thing after the other."""
    tried: set[tuple[object, ...]] = set()
    again = True
    while again:
        again = False
        for variant in _variants(breach.exchanges[place]):
            key = (variant.url, variant.headers, variant.body)
            if key in tried:
                continue
            tried.add(key)
            exchanges = (*breach.exchanges[:place], variant, *breach.exchanges[place + 1 :])
            candidate = replace(breach, exchanges=exchanges)
            if shows(candidate):
                breach, again = candidate, True
                break
    return breach


def _variants(exchange: RecordedExchange) -> Iterator[RecordedExchange]:
    """The request with one thing less."""
    for number, (name, _) in enumerate(exchange.headers):
        if name.lower() not in USUAL_HEADERS and not name.lower().startswith(("user-agent", "host")):
            headers = exchange.headers[:number] + exchange.headers[number + 1 :]
            yield replace(exchange, headers=headers)
    path, mark, query = exchange.url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if mark and not pairs:
        yield replace(exchange, url=path)
    for number, (name, value) in enumerate(pairs):
        for changed in _shorter(name, value):
            rest = [*pairs[:number], *changed, *pairs[number + 1 :]]
            yield replace(exchange, url=path + ("?" + urlencode(rest) if rest else ""))
    yield from (replace(exchange, body=body) for body in _bodies(exchange.body))


def _shorter(name: str, value: str) -> Iterator[list[tuple[str, str]]]:
    if not value.startswith("$"):
        yield []
    if len(value) > LONG and "$" not in value:
        yield [(name, value[: len(value) // 2])]


def _bodies(body: bytes | None) -> Iterator[bytes | None]:
    if not body:
        return
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        if len(body) > LONG:
            yield body[: len(body) // 2]
        return
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        rest = {key: kept for key, kept in content.items() if key != name}
        yield json.dumps(rest).encode()
        if isinstance(value, str) and len(value) > LONG and value.isprintable():
            yield json.dumps({**content, name: value[: len(value) // 2]}).encode()
        if isinstance(value, list) and len(value) > 1:
            yield json.dumps({**content, name: value[: len(value) // 2]}).encode()
