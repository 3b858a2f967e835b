"""The first look at a server: whether it is this API at all, and what the given tokens reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mockserver.verify.claims.values import Row
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer, NoApi
from mockserver.verify.monitor.monitor import Reach
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import NOT_JSON, Answer

MERCHANT = "[0-9]{1,19}"
"""What a merchant that an answer names must be: it becomes a header, and part of a line that somebody pastes."""
STARTING = ("unreachable", "reset", "disconnected", "timeout")
"""How a request fails where a server is still starting."""


def find_api(me: Billing) -> list[Answer]:
    """Raises `NoApi` unless the address answers as this API does to the given token; returns the answers.

    One operation that answers rightly is enough: what the others do wrong is then a breach, not a wrong address.
    """
    answers: list[Answer] = []
    problems: list[NoApi] = []
    for operation in ("invoices", "charges"):
        try:
            answer = me.get(f"/billing/{operation}")
        except NoAnswer as failure:
            problems.append(NoApi(f"{me.transport.base_url}: {failure.words}", may_come=failure.kind in STARTING))
            if failure.kind in ("timeout", "unreachable", "tls"):
                break
            continue
        answers.append(answer)
        if answer.ok and isinstance(answer.mapping.get("data"), list):
            return answers
        words = f"GET {me.transport.base_url}/billing/{operation} {_trouble(answer)}"
        if me.merchant is None and answer.refused and answer.status not in (401, 404):
            words += "; where the header X-Selected-Client-Id is required, give --merchant"
        problems.append(NoApi(words, may_come=answer.status >= 500))
    raise problems[0]


def _trouble(answer: Answer) -> str:
    headers = {name.lower(): value for name, value in answer.exchange.answer_headers}
    if 300 <= answer.status < 400:
        target = headers.get("location", "nowhere")
        login = " (a login page)" if "login" in target.lower() or "sign" in target.lower() else ""
        return f"redirects to {target}{login}: this is not the API's address, or it wants another sign-in"
    if answer.status == 401:
        return f"refuses the token: {answer.brief()}"
    if answer.status == 403:
        return f"refuses the token or the merchant: {answer.brief()}"
    if answer.content is NOT_JSON and b"<html" in answer.body[:2000].lower():
        return f"answers {answer.status} with an HTML page instead of JSON: no API is there"
    if answer.content is NOT_JSON:
        return f"answers {answer.status} with what is no JSON ({len(answer.body)} bytes): no API is there"
    if answer.status >= 500:
        return f"fails: {answer.brief()}"
    if answer.status == 404:
        return f"is not found: {answer.brief()}; is the base path right? Mostly it is /api"
    if answer.refused:
        return f"is refused: {answer.brief()}"
    return f"answers JSON that is no page of the billing API: {answer.brief()}"


ABSENT = (404, 405)
"""How a path is answered that a server does not have."""


def find_companions(context: Context) -> None:
    """Learns which of the operations on charges the server lacks altogether: on those nothing is judged."""
    found: dict[str, Answer] = {}
    listed = context.me.charges()
    if listed.status in ABSENT:
        found["listCharges"] = listed
    known = [row["id"] for row in listed.rows if isinstance(row.get("id"), int)][:2] or context.records.pool[:2]
    if context.me.merchant is not None and not context.options.read_only:
        # Where charges are given none is made: what lacks an amount is refused wherever there is anybody to refuse it.
        amount = None if context.options.charge_ids else context.records.spare_amount
        made = context.me.adjust(amount, context.records.mark())
        if made.status in ABSENT:
            found["createQuickAdjustment"] = made
        elif isinstance(number := made.part("charge").get("id"), int):
            known.append(number)
    alone = [context.me.charge(number) for number in known]
    if alone and all(answer.status in ABSENT for answer in alone):
        found["getCharge"] = alone[-1]
    context.monitor.absent = frozenset(found)
    for name, answer in found.items():
        operation = context.contract.operations[name]
        words = f"{operation.method} {operation.path} is answered with {answer.status}"
        context.recorder.note(f"the server has no {name} ({words}): nothing is judged on it", warning=True)


def find_callers(context: Context) -> None:
    """Learns the merchants of both tokens, by reading alone, and whether the first reaches both."""
    if context.me.merchant is None:
        found = _only_merchant(context.me)
        if found is not None:
            context.records.me = context.me.acting(merchant=found)
            context.recorder.note(f"no merchant given; the token's records are all of the merchant {found}")
    if context.options.other_token is not None:
        _find_other(context, context.options.other_token)
    context.monitor.reaches = dict(_reaches(context))


def _reaches(context: Context) -> Iterator[tuple[tuple[str, str], Reach]]:
    """What each token must see, with its merchant header and without one."""
    mine, other = context.me.merchant, context.other
    if mine is not None:
        yield _key(context.me, mine), Reach("GEN-7" if context.reaches_both else "GEN-8", only=mine)
    if other is None or other.merchant is None or mine in (None, other.merchant):
        return
    yield _key(other, other.merchant), Reach("GEN-8", only=other.merchant)
    yield _key(other, ""), Reach("GEN-8", never=mine)
    if not context.reaches_both:
        yield _key(context.me, ""), Reach("GEN-8", never=other.merchant)


def _key(caller: Billing, merchant: str) -> tuple[str, str]:
    return caller.token or "", merchant


def _find_other(context: Context, token: str) -> None:
    other = context.me.acting(token=token, merchant=None)
    context.other = other.acting(merchant=context.options.other_merchant or _merchant_of(context, other))
    if context.other.merchant is None:
        context.recorder.note("the second token's merchant could not be found out (--other-merchant)", warning=True)
        return
    reached = context.me.acting(merchant=context.other.merchant).invoices(per_page=1)
    context.reaches_both = reached.ok and context.other.merchant != context.me.merchant and _is_provider(context)


def _is_provider(context: Context) -> bool:
    """A header that a server ignores must not look like a provider's reach."""
    other = context.other.merchant if context.other else None
    rows = context.me.acting(merchant=other).invoices(per_page=5).rows
    charges = context.me.acting(merchant=other).charges(per_page=5).rows
    parties = {str(row.get("chargee_id")) for row in (*rows, *charges)}
    return (bool(parties) and parties <= {str(other)}) or not parties


def _only_merchant(caller: Billing) -> str | None:
    rows = [*caller.invoices(per_page=25).rows, *caller.charges(per_page=25).rows]
    merchants = set(merchants_of(rows))
    return merchants.pop() if len(merchants) == 1 else None


def merchants_of(rows: Iterable[Row]) -> list[str]:
    """The merchants that are charged, in their order."""
    found = (str(row["chargee_id"]) for row in rows if "chargee_id" in row)
    return list(dict.fromkeys(text for text in found if re.fullmatch(MERCHANT, text)))


def _merchant_of(context: Context, other: Billing) -> str | None:
    """By what the second token sees, else by asking for the merchants with the ids next to ours."""
    found = _only_merchant(other)
    if found is not None and found != context.me.merchant:
        return found
    ours = context.me.merchant
    near = (
        [int(ours) + step for step in (1, -1, 2, -2, 3)]
        if ours is not None and re.fullmatch("[0-9]{1,19}", ours)
        else []
    )
    for candidate in (str(number) for number in (*near, 1, 2, 3) if number > 0 and str(number) != ours):
        if other.acting(merchant=candidate).invoices(per_page=1).ok:
            return candidate
    return None
