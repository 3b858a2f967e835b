"""Measures what a server lets pass in requests that are not as they should be, and judges what it makes of them.

Ignoring what is invalid is leniency; reading it as something else is not (GEN-5).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from mockserver.verify.assertions.statements import all_of, any_of, is_refused, of
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.checks.unchanged import charge_untouched
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, due
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE
from mockserver.verify.transport.messages import Answer

EXACT_FLOATS = 2**53
"""From here up a JSON number with a point may be another one to the server."""
MONEY = (
    "a body that can't be read is taken for an empty one: a client's broken JSON bills everything that is uninvoiced "
    "({what} was answered with {status}). That is legal, and dangerous"
)
MISLABELLED = (
    "a body of text/plain is taken for an empty one: a client that forgets the Content-Type of its JSON bills "
    "everything that is uninvoiced (a create that named charge {named} was answered with {status}, and took {left}, "
    "too). That is legal, and dangerous"
)
Send = Callable[[], Answer]


def odd_pages(work: Calibration) -> None:
    """`page_not_a_number`: what is no number is refused, or as if it were left out."""
    answers: dict[str, Answer] = {}
    for name, text, figure, default in (("page", "first", "current_page", 1), ("per_page", "many", "per_page", 15)):
        what = f"{name}={text}"
        answer = answers[what] = work.context.me.invoices(**{name: text})
        if answer.ok:
            work.context.expect(
                "GEN-5",
                any_of(is_refused(answer), of(answer).at(figure).equals(default)),
                kind=f"{name} that is no number read as another",
                because=f"{what} is refused, or as if it were left out: {figure} is {default}",
                actual=f"it is {answer.mapping.get(figure)}",
            )
    work.alike("page_not_a_number", answers, refused="refuse", taken="default")


def empty_ids(work: Calibration) -> None:
    """`empty_charge_ids`: null, an empty text and an empty value of a form are refused, or as if left out."""
    post = partial(work.context.me.send, "POST", "/billing/invoices")
    cases: dict[str, Send] = {
        "charge_ids of null": partial(post, body=b'{"charge_ids": null}', content_type=JSON_TYPE),
        'charge_ids of ""': partial(post, body=b'{"charge_ids": ""}', content_type=JSON_TYPE),
        "an empty charge_ids in a form": partial(post, body=b"charge_ids=", content_type=FORM_TYPE),
    }
    work.alike("empty_charge_ids", _billing_everything(work.context, cases), refused="refuse", taken="as_omitted")


def unreadable(work: Calibration) -> None:
    """`unreadable_body`: JSON that can't be parsed, or is no object, is refused, or as an empty body."""
    post = partial(work.context.me.send, "POST", "/billing/invoices", content_type=JSON_TYPE)
    cases: dict[str, Send] = {
        "JSON that is cut off": partial(post, body=b'{"charge_ids": ['),
        "a body that is a list": partial(post, body=b"[1]"),
        "a body that is a string": partial(post, body=b'"charge_ids"'),
    }
    answers = _billing_everything(work.context, cases)
    work.alike("unreadable_body", answers, refused="refuse", taken="as_empty")
    for what, answer in answers.items():
        if answer.ok:
            work.context.recorder.note(MONEY.format(what=what, status=answer.status), about_money=True)
            return


def mislabelled(work: Calibration) -> None:
    """Warns of a server that bills everything where JSON comes as text, as which `fetch` sends it by itself."""
    context = work.context
    if context.options.charge_ids or len(context.records.open_currencies()) > 1:
        return
    named, left = context.records.charges(2)
    body = b'{"charge_ids": [%d]}' % named.id
    answer = context.me.send("POST", "/billing/invoices", body=body, content_type="text/plain;charset=UTF-8")
    if answer.ok and context.records.charge_status(left.id)[0] == "Invoiced":
        told = MISLABELLED.format(named=named.id, status=answer.status, left=left.id)
        context.recorder.note(told, about_money=True)


def _billing_everything(context: Context, cases: Mapping[str, Send]) -> dict[str, Answer]:
    """Sends each with a charge open; raises `NotPossible` where that tells nothing, or would touch others' charges."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    context.records.charge()
    if context.me.create().refused and len(context.records.open_currencies()) > 1:
        raise NotPossible("the merchant has open charges in several currencies")
    answers: dict[str, Answer] = {}
    charge = context.records.charge()
    for what, send in cases.items():
        answer = answers[what] = send()
        if answer.refused:
            charge_untouched(context, "GEN-6", charge, f"a refused create with {what}", [answer])
        elif answer.ok:
            _takes_all(context, charge, what, answer)
            charge = context.records.charge()
    return answers


def _takes_all(context: Context, charge: OwnCharge, what: str, answer: Answer) -> None:
    """An accepted create with `what` is one without `charge_ids`: it takes whatever is uninvoiced (CREATE-2)."""
    status, after = context.records.charge_status(charge.id)
    total = of(answer).at("invoice.total")
    context.expect(
        "GEN-5",
        any_of(
            is_refused(answer),
            all_of(of(after).at("charge.status").equals("Invoiced"), total.compares(">=", due([charge]))),
        ),
        kind=f"{what} read as something else",
        because=f"{what} is refused, or as if charge_ids were left out: charge {charge.id} is on the invoice",
        actual=f"the charge is {status}, and the total {total.value()}",
        using=[answer],
    )


def loose_ids(work: Calibration) -> None:
    """`numeric_strings` and `loose_integers`: each is refused, or means what it converts to, exactly."""
    context = work.context
    charge = context.records.charge()
    charge, strings = _ids(context, charge, {'"{}"': lambda number: [str(number)]})
    work.alike("numeric_strings", strings, refused="refuse", taken="accept")
    forms: dict[str, Callable[[int], object]] = {
        '"+{}"': lambda number: [f"+{number}"],
        '{{"a": {}}}': lambda number: {"a": number},
    }
    if charge.id < EXACT_FLOATS:
        forms["{}.0"] = lambda number: [float(number)]
    charge, loose = _ids(context, charge, forms)
    work.alike("loose_integers", loose, refused="refuse", taken="accept")
    if _true_is_one(context, charge):
        context.records.draft((charge,))


def _ids(
    context: Context, charge: OwnCharge, forms: Mapping[str, Callable[[int], object]]
) -> tuple[OwnCharge, dict[str, Answer]]:
    """Asks for one charge in each form; returns one that is still free, and the answers."""
    answers: dict[str, Answer] = {}
    for form, ids in forms.items():
        body = json.dumps({"charge_ids": ids(charge.id)}).encode()
        answer = context.me.send("POST", "/billing/invoices", body=body, content_type=JSON_TYPE)
        what = form.format(charge.id)
        answers[what] = answer
        if answer.ok:
            total = of(answer).at("invoice.total")
            context.expect(
                "GEN-5",
                any_of(is_refused(answer), total.equals(due([charge]))),
                kind=f"{form.format('N')} in charge_ids read as something else",
                because=f"{what} in charge_ids is refused, or means charge {charge.id} alone, of {charge.amount}",
                actual=f"the total is {total.value()}",
            )
            charge = context.records.charge()
        elif answer.refused:
            charge_untouched(context, "GEN-6", charge, f"a refused create with {form.format('N')}", [answer])
    return charge, answers


def _true_is_one(context: Context, charge: OwnCharge) -> bool:
    """`true` is 1, or refused; where charge 1 can't be invoiced, refused. Returns whether `charge` is still free."""
    status, shown = context.records.charge_status(1)
    if status == "Open" or not (shown.ok or shown.refused) or charge.id == 1:
        return True
    answer = context.me.post("/billing/invoices", {"charge_ids": [True, charge.id]})
    return context.expect.refused("GEN-5", answer, "a create with true for a charge id", [shown, charge.made_by])
