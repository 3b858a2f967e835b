"""Measures the open choices of a server, each by its effect, and never guesses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.calibration.acting import creates, finalizes, nothing_to_invoice, refusals
from mockserver.verify.calibration.collecting import collects
from mockserver.verify.calibration.listing import links, lists, page_sizes
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.calibration.reaching import isolation, merchants
from mockserver.verify.calibration.reading import empty_ids, loose_ids, mislabelled, odd_pages, unreadable
from mockserver.verify.calibration.searching import searches
from mockserver.verify.checks.runner import held_back, still_there
from mockserver.verify.claims.claims import CannotTell
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible, OutOfTime, Stop
from mockserver.verify.events import ChoiceMeasured, PhaseStarted, Progress
from mockserver.verify.transport.safety import Withheld
from mockserver.verify.transport.signals import Interrupted

SEARCHES = ("unknown_search_field", "bad_search_value", "bad_search_syntax")
PAYING = ("collect_status", "recollect", "illegal_state_status", "declined_status", "payment_shown")


def calibrate(context: Context) -> Calibration:
    """Measures what can be measured, emits it, and puts it into the context's profile."""
    steps: tuple[tuple[str, Callable[[Calibration], None], tuple[str, ...]], ...] = (
        ("page sizes", page_sizes, ("per_page_max", "per_page_above_max")),
        ("reading lists", lists, ("page_below_one", "range_base", "party_id_type")),
        ("pages that are no number", odd_pages, ("page_not_a_number",)),
        ("links of pages", links, ("page_links",)),
        ("merchants", merchants, ("unknown_merchant_status", "merchant_header")),
        ("creating", creates, ("create_status", "duplicate_charge_ids", "list_order", "created_at_precision")),
        ("refusing", refusals, ("invalid_request_status",)),
        ("numbers", loose_ids, ("numeric_strings", "loose_integers")),
        ("empty lists of charges", empty_ids, ("empty_charge_ids",)),
        ("unreadable bodies", unreadable, ("unreadable_body",)),
        ("bodies of another type", mislabelled, ()),
        ("searching", searches, (*SEARCHES, "date_without_modifier")),
        ("finalizing", finalizes, ("finalize_status", "finalized_label", "refinalize", "action_body")),
        ("collecting", collects, PAYING),
        ("isolation", isolation, ("foreign_invoice_status",)),
        ("nothing to invoice", nothing_to_invoice, ("no_charges",)),
    )
    context.recorder.emit(PhaseStarted("calibrate", len(steps)))
    work = Calibration(context, {}, {})
    for number, (text, step, keys) in enumerate(steps, 1):
        context.recorder.emit(Progress(text, number))
        try:
            with held_back(context):
                step(work)
        except (NotPossible, Withheld, CannotTell) as reason:
            work.unmeasured(str(reason), *keys)
        except (NoAnswer, Stop) as failure:
            work.unmeasured(f"the server did not answer as it should: {failure}", *keys)
            still_there(context)
        except Interrupted:
            raise
        except OutOfTime:
            # Of the share that measuring may take; where it was the run's own time, the next request will say so.
            work.unmeasured("there was no time to measure it (--max-time)", *CHOICES)
            break
        work.unmeasured("the server's answers did not show it", *keys)
    _tell(work)
    _compare(work, context.options.expect_profile or {})
    return work


def _tell(work: Calibration) -> None:
    given = work.context.options.profile or {}
    for key in CHOICES:
        expected = given.get(key)
        if key in work.found:
            value, evidence = work.found[key]
            differs = key in given and expected != value
            work.context.recorder.emit(ChoiceMeasured(key, value, True, evidence, expected if differs else None))
            work.context.profile[key] = value
        else:
            work.context.recorder.emit(ChoiceMeasured(key, None, False, work.missed.get(key, "not tried")))
            if key in given:
                work.context.profile[key] = expected


def _compare(work: Calibration, recorded: Mapping[str, Value]) -> None:
    """Tells which choices are no longer those that were recorded."""
    for key, before in recorded.items():
        if key in work.found and work.found[key][0] != before:
            work.context.recorder.drift(key, before, *work.found[key])
    if unknown := [key for key in recorded if key not in work.found]:
        told = f"not measured, so that nobody can say whether they are still as recorded: {', '.join(unknown)}"
        work.context.recorder.note(told, warning=True)
