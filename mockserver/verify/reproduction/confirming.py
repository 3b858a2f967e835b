"""Shows every breach once more before it is told: from nothing, as short and plain as it can be made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mockserver.verify.assertions.expect import moved
from mockserver.verify.claims.claims import CannotTell, Claim, Eventually, judged
from mockserver.verify.context.context import Context
from mockserver.verify.errors import OutOfTime
from mockserver.verify.events import Breach, PhaseStarted, Progress, RecordedExchange, Reproduction
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.reproduction.live import LivePlay
from mockserver.verify.reproduction.shrinking import shrunk
from mockserver.verify.transport.safety import Withheld
from mockserver.verify.transport.signals import Interrupted

TRIES = 2
"""How often a breach must show to be taken for one that shows each time."""
RACES = 5
"""How often one that does not show each time is tried."""
MOST_RACES = 20
"""How often a race is tried that was seen more than once before, until it shows."""
AFTER_VAIN = 1.0
"""Seconds that Stripe's queue is waited for in a sequence in which it was waited for in vain."""
SHRINKING = 2.0
"""Seconds for making one breach shorter."""
MOST_VARIANTS = 40


def confirm(context: Context) -> None:
    """Replays all breaches that were found; where time is over, the rest stays as it is.

    Raises `ServerGone` and `Interrupted`.
    """
    breaches = list(context.recorder.breaches.values())
    if not breaches:
        return
    context.recorder.emit(PhaseStarted("reproducing", len(breaches)))
    with context.monitor.resting():
        for number, breach in enumerate(sorted(breaches, key=lambda one: len(one.exchanges)), 1):
            context.recorder.emit(Progress(breach.rule, number))
            try:
                context.recorder.replace(_best(context, breach))
            except Interrupted:
                raise
            except OutOfTime:
                left = Reproduction(0, 0, "there was no time left to replay it (--max-time)")
                context.recorder.replace(replace(breach, reproduction=left))


@dataclass(slots=True)
class _Trial:
    """How often one sequence was tried, and what came of it."""

    seen: int = 0
    gone: int = 0
    """How often the rule held instead."""
    why: str = ""
    """Why a try could not tell."""
    patience: float = 0.0
    """Seconds that Stripe's queue is waited for: what never came in one try of a sequence won't in the next."""

    @property
    def tries(self) -> int:
        return self.seen + self.gone


def _best(context: Context, breach: Breach) -> Breach:
    """The breach as it was seen in the shortest way, or, where that does not show it again, in another one."""
    done = _confirmed(context, _whole(context, breach))
    spare = context.recorder.spares.get(breach.identity)
    if (done.reproduction is not None and done.reproduction.seen) or spare is None or spare is breach:
        return done
    other = _confirmed(context, _whole(context, spare))
    return other if other.reproduction is not None and other.reproduction.seen else done


def _whole(context: Context, breach: Breach) -> Breach:
    """The breach with all that its requests raced with: some of it was not answered when the breach was seen."""
    if breach.check is None or not any(exchange.race for exchange in breach.exchanges):
        return breach
    exchanges = context.transport.ledger.complete(breach.exchanges)
    places = {exchange.number: place for place, exchange in enumerate(exchanges)}
    check = moved(breach.check, {place: places[one.number] for place, one in enumerate(breach.exchanges)})
    return replace(breach, exchanges=tuple(exchanges), check=check)


def _confirmed(context: Context, breach: Breach) -> Breach:
    if breach.check is None or not breach.exchanges:
        return breach
    if isinstance(breach.check, Eventually) and breach.check.seconds > context.transport.left / 2:
        return replace(breach, reproduction=Reproduction(0, 0, "there was no time left to wait for it once more"))
    trial = _Trial(patience=context.records.patience)
    is_race = any(exchange.race for exchange in breach.exchanges)
    again = is_race and context.recorder.sightings[breach.identity] > 1
    try:
        while trial.seen < TRIES and not trial.why and trial.tries < _most(trial, is_race=is_race, again=again):
            _try(context, breach, breach.check, trial)
    except Withheld as reason:
        return replace(breach, reproduction=Reproduction(0, 0, str(reason)))
    if trial.seen == 0 and trial.why:
        return replace(breach, reproduction=Reproduction(0, 0, f"it could not be replayed: {trial.why}"))
    before = context.recorder.sightings[breach.identity]
    done = replace(breach, reproduction=Reproduction(trial.seen, trial.tries, race=is_race, before=before))
    return _shortest(context, done, trial.patience) if trial.seen == trial.tries and not is_race else done


def _most(trial: _Trial, *, is_race: bool, again: bool) -> int:
    """How many tries say enough; two that are alike do, save for a race, which does not show each time."""
    if is_race:
        return MOST_RACES if again and trial.seen == 0 else RACES
    return TRIES if 0 in (trial.seen, trial.gone) else RACES


def _try(context: Context, breach: Breach, check: Claim, trial: _Trial) -> None:
    try:
        play = LivePlay(context, steps_of(breach, context.transport.base_url))
        if isinstance(check, Eventually) and trial.seen:
            # It was waited for twice in vain, in the run and now.
            check = replace(check, seconds=min(check.seconds, AFTER_VAIN))
        if play.shows(check, patience=trial.patience):
            trial.seen += 1
        else:
            trial.gone += 1
        if play.in_vain:
            trial.patience = min(trial.patience, AFTER_VAIN)
    except CannotTell as reason:
        trial.why = str(reason)


def _shortest(context: Context, breach: Breach, patience: float) -> Breach:
    """The breach as the shortest sequence that still shows it, told by the exchanges of its own last run."""
    if isinstance(breach.check, Eventually):
        return breach
    until = time.monotonic() + min(SHRINKING, context.transport.left / 4)
    variants = iter(range(MOST_VARIANTS))

    def shows(candidate: Breach) -> bool:
        return (
            time.monotonic() < until
            and next(variants, None) is not None
            and _plays(context, candidate, patience) is not None
        )

    short = shrunk(breach, shows)
    if short is breach:
        return breach
    # The answers of then are not those to the sequence of now.
    played = _plays(context, short, patience)
    if played is None or len(played.exchanges) < len(short.exchanges):
        return breach
    exchanges = tuple(exchange for _, exchange in sorted(played.exchanges.items()))
    return replace(short, exchanges=exchanges, actual=_retold(short, exchanges))


def _retold(breach: Breach, exchanges: Sequence[RecordedExchange]) -> str:
    """What came, as of now, where the sentence is nothing but the one answer that is judged."""
    for place in judged(breach.check) if breach.check is not None else ():
        then = breach.exchanges[place].brief()
        if breach.actual.endswith(then):
            return breach.actual.removesuffix(then) + exchanges[place].brief()
    return breach.actual


def _plays(context: Context, breach: Breach, patience: float) -> LivePlay | None:
    """One run that shows the breach; None where it does not."""
    play = LivePlay(context, steps_of(breach, context.transport.base_url))
    try:
        return play if breach.check is not None and play.shows(breach.check, patience=patience) else None
    except (CannotTell, Withheld):
        return None
