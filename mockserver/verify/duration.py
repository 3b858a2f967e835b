"""How long a whole run takes on the server that it judges, and what is said of it."""

from __future__ import annotations

import math

from mockserver.verify.context.context import Context

WHOLE_RUN = 1_200
"""Requests of a run that leaves out what is only thorough, as on a slow server."""


def whole_run(context: Context) -> float:
    """Seconds that a whole run takes on this server, by its limit or by its latency."""
    limit = context.transport.pace.limit
    interval = limit.interval if limit is not None and limit.most < WHOLE_RUN else 0.0
    return max(interval, context.transport.latency) * WHOLE_RUN


def foretell(context: Context) -> bool:
    """Says how long the run will take where that can be told; whether it is more than there is."""
    limit, needed, left = context.transport.pace.limit, whole_run(context), context.transport.left
    is_tight = needed > left
    if limit is not None and limit.most < WHOLE_RUN:
        why = f"the server allows {limit} ({limit.header}) and is asked at that pace"
    elif is_tight:
        why = f"the server takes {1000 * context.transport.latency:,.2g} ms for an answer"
    else:
        return False
    told = f"{why}: a whole run takes about {needed:.0f} s"
    if is_tight:
        told += (
            f", and --max-time {enough(needed)} would cover it; in the {left:.0f} s that there are, "
            "each rule has its turn before any is looked at twice"
        )
    context.recorder.note(told, warning=is_tight)
    return is_tight


def enough(needed: float) -> int:
    """The `--max-time` that leaves that many seconds: a tenth at most, and one, are for replaying and for starting."""
    return math.ceil((needed + 1) / 0.9 / 10) * 10


def why_over(context: Context) -> str:
    """Why the time of the run is over, and how much would do."""
    limit = f"--max-time {context.options.max_time:g}"
    if (wait := context.transport.asked_too_much) is None:
        needed = whole_run(context)
        more = f"; --max-time {enough(needed)} would do on this server"
        return f"the time is over ({limit})" + (more if needed > context.options.max_time else "")
    return (
        f"the server asks to wait {wait:g} s (429), more than is left of {limit}: give the run more time, or keep to "
        "the server's limit with --rate-limit"
    )
