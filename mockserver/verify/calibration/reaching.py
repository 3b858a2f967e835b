"""Measures the open choices of reach: the merchant header, merchants that are unknown, invoices of others."""

from __future__ import annotations

from mockserver.verify.calibration.measurements import NOTHING, Calibration
from mockserver.verify.context.records import UNKNOWN_ID


def merchants(work: Calibration) -> None:
    """How an unknown merchant is answered, and whether the header may be left out."""
    unknown = work.context.me.acting(merchant=str(UNKNOWN_ID)).invoices(NOTHING)
    if unknown.refused:
        work.record("unknown_merchant_status", unknown.status, f"an unknown merchant is answered with {unknown.status}")
    else:
        work.unmeasured(
            f"an unknown merchant is not refused but answered with {unknown.status}", "unknown_merchant_status"
        )
    _header(work)


def _header(work: Calibration) -> None:
    """Whether a provider's calls need the merchant header; a token that reaches one merchant alone tells less."""
    context = work.context
    bare = context.anyone.invoices(per_page=context.records.at_most(25))
    if bare.refused:
        evidence = f"without X-Selected-Client-Id a list is answered with {bare.status}"
        work.record("merchant_header", "required", evidence)
        return
    parties = {str(row.get("chargee_id")) for row in (*bare.rows, *context.anyone.charges().rows)}
    if bare.ok and (context.reaches_both or len(parties) > 1):
        evidence = f"without X-Selected-Client-Id a list is answered with {bare.status}"
        work.record("merchant_header", "optional", evidence)
    else:
        work.unmeasured("the token is not known to reach several merchants", "merchant_header")


def isolation(work: Calibration) -> None:
    """How another merchant's invoice is answered."""
    context = work.context
    other = context.second()
    answer = other.finalize(context.records.draft().id)
    if answer.refused:
        work.record(
            "foreign_invoice_status", answer.status, f"another merchant's invoice is answered with {answer.status}"
        )
