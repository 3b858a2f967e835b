"""Checks that a number below nothing names no record: not that of the same digits, as a cast without a sign does."""

from __future__ import annotations

from mockserver.verify.assertions.statements import is_refused
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context.context import Context
from mockserver.verify.transport.messages import Answer


def charges(context: Context) -> None:
    """CREATE-6: -5 among the ids is not charge 5."""
    charge = context.records.charge()
    answer = context.me.create([-charge.id])
    _refused(context, "CREATE-6", answer, "a create of a negative id", charge.made_by)
    if answer.refused:
        charge_untouched(context, "GEN-6", charge, "a refused create", [answer])


def finalizing(context: Context) -> None:
    """FINALIZE-3: nor does a finalize of -5 lock invoice 5."""
    draft = context.records.draft()
    answer = context.me.finalize(-draft.id)
    _refused(context, "FINALIZE-3", answer, "a finalize of a negative id", draft.made_by)
    still_draft(context, "FINALIZE-3", draft, "a finalize of a negative id", [answer])


def _refused(context: Context, rule: str, answer: Answer, what: str, made_by: Answer) -> None:
    context.expect(
        rule,
        is_refused(answer),
        because=f"{what} is refused with a 4xx",
        kind=f"{what} not refused",
        using=[made_by],
    )


CHECKS = (
    Check("negative ids of charges", ("CREATE-6", "GEN-6"), charges, thorough=True),
    Check("finalizing a negative id", ("FINALIZE-3",), finalizing, thorough=True),
)
