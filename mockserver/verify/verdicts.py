"""Which rules are judged, and what becomes of each of them and of the whole run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.core.text import guess
from mockserver.verify.context.context import Context
from mockserver.verify.events import Breach, RuleFinished
from mockserver.verify.known_breaches import KnownBreaches
from mockserver.verify.monitor.coverage import coverage
from mockserver.verify.options import Options
from mockserver.verify.transport.signals import exit_code

REMEDIES = {
    "read-only": "leave out --read-only",
    "charges are not made in this run": "--merchant, and leave out --charge-ids",
    "card does not pay": "--merchant with one whose card pays",
    "card declines": "--declining-merchant",
    "onto Stripe": "--stripe-wait",
    "no payment showed": "--stripe-wait",
    "was not answered": "--timeout",
    "reaches one merchant only": "--token of a provider",
    "open charges in several currencies": "--merchant with another one",
    "all together are refused": "--merchant with another one",
}
"""What would help, by what a reason says that names no option itself."""
_OPTION = re.compile(r"--[a-z]")


def finish(context: Context, known: KnownBreaches, reason: str, could_run: bool) -> int:
    """Gives every rule its verdict, and the run its exit code."""
    recorder, today = context.recorder, date.today()
    if not could_run and not context.monitor.met:
        # Nothing was met, so that there is nothing to say of any rule.
        return 2 if (number := context.transport.signals.number) is None else exit_code(number)
    recorder.count_up()
    breaches = list(recorder.breaches.values())
    failing, missing = False, False
    held = set()
    for rule in sorted(recorder.rules, key=list(context.contract.rules).index):
        own = [breach for breach in breaches if breach.rule == rule and breach.counts]
        doubtful = [breach for breach in breaches if breach.rule == rule and not breach.counts]
        accepted = [entry for breach in own if (entry := known.accepting(breach, today))]
        count = recorder.exercised[rule]
        if own:
            excused = len(accepted) == len(own)
            failing = failing or not excused
            words = "; ".join(sorted({entry.words() for entry in accepted})) if excused else ""
            recorder.emit(RuleFinished(rule, "accepted" if excused else "broken", count, words))
        elif count:
            held.add(rule)
            recorder.emit(RuleFinished(rule, "holds", count, _doubts(doubtful)))
        else:
            matters = rule not in recorder.excused
            missing = missing or matters
            recorder.emit(RuleFinished(rule, "not_exercised", 0, _why(context, rule, reason), matters))
    for row in coverage(context.contract, context.monitor):
        recorder.emit(row)
    for remark in known.remarks(breaches, held, today):
        recorder.note(remark, warning=True)
    if (number := context.transport.signals.number) is not None and reason not in ("completed", "time"):
        return exit_code(number)
    if failing or recorder.has_drifted:
        return 1
    if not could_run:
        return 2
    proved_nothing = not held and not breaches
    return 3 if proved_nothing or (missing and not context.options.allow_unexercised) else 0


def _doubts(doubtful: Sequence[Breach]) -> str:
    """What was seen once and did not come again."""
    return "; ".join(f"{one.actual}: {one.reproduction.words()}" for one in doubtful if one.reproduction)


def _why(context: Context, rule: str, reason: str) -> str:
    if reasons := context.recorder.reasons.get(rule):
        return "; ".join(map(with_remedy, reasons))
    if reason == "time":
        return "the time was over before its turn (--max-time)"
    return with_remedy("no check got as far as this") if reason == "completed" else "the run ended early"


def with_remedy(reason: str) -> str:
    """Why a rule was not exercised, with the option that would help, or that none does."""
    if _OPTION.search(reason):
        return reason
    return f"{reason} ({next((told for part, told in REMEDIES.items() if part in reason), 'no option helps')})"


def chosen_rules(contract: Contract, options: Options) -> frozenset[str]:
    """The rules to judge by `--only` and `--skip`, each a rule or an area; raises `Unusable` for an unknown one."""
    unknown = [name for name in (*options.only, *options.skip) if not _named(contract, name)]
    if unknown:
        areas = {rule.area: None for rule in contract.rules.values()}
        told = ", ".join(name + guess(name.upper(), [*contract.rules, *areas]) for name in unknown)
        raise Unusable(f"no rule or area is called {told}; `mockserver rules` lists them")
    wanted = {rule for name in options.only for rule in _named(contract, name)} if options.only else set(contract.rules)
    return frozenset(wanted - {rule for name in options.skip for rule in _named(contract, name)})


def _named(contract: Contract, name: str) -> list[str]:
    wanted = name.upper()
    return [rule.id for rule in contract.rules.values() if wanted in (rule.id, rule.area)]
