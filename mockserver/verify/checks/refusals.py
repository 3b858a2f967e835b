"""Checks of what is refused for its form: odd searches, numbers, bodies and paths, none of which may do harm."""

from __future__ import annotations

from mockserver.verify.assertions.statements import all_of, is_answered, of
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.messages import Answer

ODD_SEARCHES = (
    'id:"1',
    'id:1"',
    '"',
    "id",
    "id:",
    'id"1"',
    ':"1"',
    'id:"1" AND',
    'OR id:"1"',
    'id:"1" id:"2"',
    "(",
    "%",
    "\\",
    'id:"abc"',
    'id:""',
    'id:"1.5"',
    'id:"-1"',
    f'id:"{"9" * 40}"',
    'created_at$DATE>="2026-02-30"',
    'created_at$DATE:"tomorrow"',
    'created_at$DATE~"2026"',
    'stripe_invoice_id>"in_1"',
    'id~"1"',
    'created_at$TIME:"1"',
    'id:"1" XOR id:"2"',
    "id:\x00",
    'stripe_invoice_id:"%"',
    'stripe_invoice_id:"\'; --"',
    'id:"1" AND ' * 30,
    "é",
)


ODD_NUMBERS = ("0", "-1", "-5", "1.5", "1e3", "", " 1", "+1", "0x10", "null", "true", str(2**31), str(2**63), "9" * 40)
ODD_MERCHANTS = ("abc", "-1", "1.5", "0", "null", "1,2", "9" * 40, "é")
ODD_DESCRIPTIONS = ("odd \x00 text", "odd \ud800 text", "\U0001f4e6 \u00e9'; --<b>&amp;%s{{7*7}}", "long " * 5_000)
LONG = "all that was done for the customer " * 9
"""A description that a person may write, longer than the 255 letters that a column often has."""


def refusals_are_readable(context: Context) -> None:
    """GEN-5: what reads badly is refused, with a field named; a page that is no number may be the first instead."""
    for what, answer in (
        ("a page that is no number", context.me.invoices(page="first")),
        ("a per_page that is no number", context.me.invoices(per_page="many")),
    ):
        if not answer.ok:
            _refused_naming(context, answer, what)
    for what, path in (
        ("an id that is no number", "abc"),
        ("a number beyond all ids", "9" * 30),
        ("an odd path", "%00"),
    ):
        answer = context.me.send("GET", f"/billing/charges/{path}")
        context.expect.refused("GEN-5", answer, f"getCharge of {what}")


def _refused_naming(context: Context, answer: Answer, what: str) -> None:
    if not context.expect.refused("GEN-5", answer, what):
        return
    errors = of(answer).at("errors")
    context.expect(
        "GEN-5",
        all_of(errors.is_a("object"), errors.differs({})),
        kind=f"no errors for {what}",
        because="the refusal of invalid input has `errors`, field name to messages",
        actual=f"the answer is {answer.brief()}",
    )


def odd_searches(context: Context) -> None:
    """GEN-5: no search makes the server fail; whether it is refused or ignored is open."""
    for q in ODD_SEARCHES if context.thorough else ODD_SEARCHES[:12]:
        answer = context.me.invoices(q, per_page=1)
        context.expect(
            "GEN-5",
            is_answered(answer),
            kind="a search makes the server fail",
            because="an unreadable search is refused with a 4xx, or ignored",
        )


def odd_numbers(context: Context) -> None:
    """GEN-5: no page, page size or merchant makes the server fail; how one that is below 1 is read is open."""
    nothing = f'id:"{UNKNOWN_ID}"'
    some = ODD_NUMBERS if context.thorough else ("0", "-5", str(2**63))
    for value in some:
        for what, answer in (
            ("per_page", context.me.invoices(nothing, per_page=value)),
            ("page", context.me.invoices(nothing, page=value)),
            ("page of charges", context.me.charges(page=value, per_page=1)),
            ("per_page of charges", context.me.charges(per_page=value, page=1_000_000)),
        ):
            _answered(context, answer, f"an odd {what}")
    for value in ODD_MERCHANTS if context.thorough else ODD_MERCHANTS[:2]:
        caller = context.me.acting(merchant=value)
        for answer in (caller.invoices(nothing), caller.charges(per_page=1), caller.create([UNKNOWN_ID])):
            _answered(context, answer, "an odd merchant header")


def _answered(context: Context, answer: Answer, what: str) -> None:
    context.expect(
        "GEN-5",
        is_answered(answer),
        kind=f"{what} makes the server fail",
        because=f"{what} is refused with a 4xx, or read in a lenient way",
    )


def bad_bodies(context: Context) -> None:
    """GEN-5 and GEN-6: ids that can't be meant are refused, and take no charge; what may pass, calibrating tries."""
    charge = context.records.charge()
    fraction = _and_a_half(charge.id)
    bodies = (
        ("charge_ids that are a word", '{"charge_ids": "all"}', True),
        ("a charge id that is a word", '{"charge_ids": [%d, "x"]}', True),
        ("a charge id that is a fraction", '{"charge_ids": [' + fraction + "]}", True),
        ("a charge id that is null", '{"charge_ids": [%d, null]}', False),
        ("a charge id that is a list", '{"charge_ids": [[%d]]}', True),
        ("a charge id that is an object", '{"charge_ids": [{"id": %d}]}', True),
        ("a huge charge id", '{"charge_ids": [%d, 99999999999999999999999999]}', False),
        ("a negative charge id", '{"charge_ids": [%d, -1]}', False),
        ("charge id 0", '{"charge_ids": [%d, 0]}', False),
    )
    acts: list[Answer] = []
    for what, form, names_field in bodies:
        body = form.replace("%d", str(charge.id)).encode()
        answer = context.me.send("POST", "/billing/invoices", body=body, content_type="application/json")
        if names_field:
            _refused_naming(context, answer, f"a create with {what}")
        else:
            context.expect.refused("GEN-5", answer, f"a create with {what}")
        acts.append(answer)
        if answer.ok:
            charge = context.records.charge()
            acts.clear()
    charge_untouched(context, "GEN-6", charge, "createInvoice with a bad body", acts)


def _and_a_half(number: int) -> str:
    """A number that no reader of JSON takes for an integer: from 2^52 up a double has no fraction."""
    return "%d.5" if number < 2**52 else "1.5"


def bad_adjustments(context: Context) -> None:
    """GEN-5 and GEN-6: an adjustment needs a number and a description, and a refused one makes no charge."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    before = of(context.me.charges(per_page=context.records.at_most(25))).each("id")
    sent = []
    for what, changes in (
        ("no amount", {"amount": ...}),
        ("no description", {"description": ...}),
        ("an amount that is a word", {"amount": "much"}),
        ("an amount that is a list", {"amount": [5]}),
        ("an amount that is null", {"amount": None}),
        ("a description that is a list", {"description": ["x"]}),
    ):
        whole = {"amount": int(context.records.spare_amount), "description": context.records.mark()}
        content = {name: value for name, value in (whole | changes).items() if value is not ...}
        answer = context.me.post("/billing/charges/quick-adjustment", content)
        _refused_naming(context, answer, f"an adjustment with {what}")
        if answer.refused:
            sent.append((what, whole, answer))
    newest = context.me.charges(per_page=context.records.at_most(25))
    added = of(newest).where("id", "not in", before)
    for what, whole, answer in sent:
        # What was sound in it tells which charge it made.
        name = "amount" if "description" in what else "description"
        made = added.where(name, "is", whole[name])
        context.expect(
            "GEN-6",
            made.is_empty(),
            kind=f"charge made by an adjustment with {what}",
            because=f"a refused adjustment with {what} makes no charge",
            actual=("the charge is there, with the id", made.each("id")),
            using=[answer],
        )


def odd_descriptions(context: Context) -> None:
    """GEN-5 and GEN-9: no text makes the server fail; which texts are refused is open, what is taken is kept."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    for description in ODD_DESCRIPTIONS:
        answer = context.me.adjust(5, description)
        _answered(context, answer, "an odd description")
        if answer.ok and isinstance(answer.part("charge").get("id"), int):
            context.me.charge(answer.part("charge")["id"])


def long_descriptions(context: Context) -> None:
    """GEN-9: one that is taken is kept as it was answered, cut or whole; it may as well be refused."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    made = context.me.adjust(5, LONG.strip())
    number = made.part("charge").get("id")
    if not made.ok or not isinstance(number, int):
        return
    told = of(made).at("charge.description")
    context.expect(
        "GEN-9",
        of(context.me.charge(number)).at("charge.description").equals(told),
        kind="a long description kept otherwise",
        because="a charge is shown with the description that was answered when it was made",
        using=[made],
    )


def bad_actions(context: Context) -> None:
    """GEN-5: ids in paths that can't be meant."""
    for path in ("abc", "9" * 30, "-1", "1.5", "%00"):
        answer = context.me.send("POST", f"/billing/invoices/{path}/finalize")
        context.expect.refused("GEN-5", answer, "finalizeInvoice of an id that no invoice has")


CHECKS = (
    Check("refusals are readable", ("GEN-5",), refusals_are_readable),
    Check("odd numbers", ("GEN-5",), odd_numbers, thorough=True),
    Check("odd searches", ("GEN-5",), odd_searches, thorough=True),
    Check("bad bodies", ("GEN-5", "GEN-6"), bad_bodies),
    Check("bad adjustments", ("GEN-5", "GEN-6"), bad_adjustments, thorough=True),
    Check("odd descriptions", ("GEN-5", "GEN-9"), odd_descriptions, thorough=True),
    Check("long descriptions", ("GEN-9",), long_descriptions, thorough=True),
    Check("bad actions", ("GEN-5",), bad_actions, thorough=True),
)
