"""One server judged: by the verifier, by raw Schemathesis, by the plain scenarios."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.mutants.config import MERCHANT, Mutant, ServerConfig, without_fault
from tests.mutants.frameworks.variants import Variant, started
from tests.mutants.non_apis import NonApi
from tests.mutants.processes import Alarm, Served, alarms, served, verify
from tests.mutants.scenarios.every import first_broken

RAW_SEEDS = 3
"""Seeds with which Schemathesis is run on a correct server, to know its false alarms."""


@dataclass(frozen=True, slots=True)
class Job:
    """One server and one seed."""

    what: ServerConfig | NonApi | Variant
    seed: int
    options: tuple[str, ...] = ()
    """For the verifier, beside those of the configuration."""

    @property
    def kind(self) -> str:
        if isinstance(self.what, Mutant):
            return "fault"
        return "non-api" if isinstance(self.what, NonApi) else "legal"

    @property
    def arguments(self) -> tuple[str, ...]:
        own = MERCHANT if isinstance(self.what, NonApi) else self.what.arguments
        return own + self.options


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one job; None stands for what was not asked."""

    kind: str
    name: str
    area: str
    says: str
    seed: int
    rules: tuple[str, ...]
    exit: int | None = None
    right_exit: bool | None = None
    named: dict[str, float] = field(default_factory=dict)
    """Broken rule to the seconds after which it was found."""
    named_right: bool | None = None
    """Whether a rule was named that the fault breaks."""
    named_right_first: bool | None = None
    """Whether such a rule was the first that was named, or found at the same moment."""
    named_after: float | None = None
    """Seconds after which it was."""
    raw: bool | None = None
    """Whether raw Schemathesis complained of what it does not complain of on the same server without the fault."""
    plain: str | None = None
    """The first rule whose plain scenario fails."""
    seconds: float = 0.0
    requests: int = 0
    """As the server counted them, or the verifier where it does not."""
    words: str = ""
    """What the verifier printed last, where its exit code is wrong."""


class Raw:
    """Schemathesis alone; knows its false alarms on each configuration."""

    def __init__(self) -> None:
        self.known: dict[str, frozenset[Alarm]] = {}
        self.lock = threading.Lock()

    def catches(self, fault: Mutant, seed: int) -> bool:
        return bool(self.run(("--fault", fault.name), fault, seed) - self.false_alarms(fault))

    def false_alarms(self, fault: Mutant) -> frozenset[Alarm]:
        """Those on the same server without its fault, over several seeds."""
        config = repr(replace(without_fault(fault), name="", says=""))
        with self.lock:
            if config not in self.known:
                server = ("--without-fault", fault.name)
                runs = [self.run(server, fault, seed) for seed in range(1, RAW_SEEDS + 1)]
                self.known[config] = frozenset().union(*runs)
            return self.known[config]

    def run(self, server: Sequence[str], fault: Mutant, seed: int) -> frozenset[Alarm]:
        with tempfile.TemporaryDirectory() as directory, served(*server) as at:
            return alarms(at.url, fault.arguments[1], seed=seed, directory=Path(directory))


@contextmanager
def at_work(job: Job) -> Iterator[Served]:
    """The server of a job; one on another framework does not count its requests."""
    if isinstance(job.what, Variant):
        with started(job.what) as running:
            yield Served(running.base_url)
    else:
        with served(f"--{job.kind}", job.what.name) as at:
            yield at


def judge(job: Job, *, ours: bool, raw: Raw | None, plain: bool) -> Row:
    """The verifier if `ours`, and for a fault also Schemathesis and the plain scenarios, if they are wanted."""
    fault = job.what if isinstance(job.what, Mutant) else None
    row = Row(
        kind=job.kind,
        name=job.what.name,
        area=fault.area if fault else "",
        says=job.what.says,
        seed=job.seed,
        rules=fault.rules if fault else (),
        raw=raw.catches(fault, job.seed) if raw and fault else None,
        plain=first_broken(fault) or "" if plain and fault else None,
    )
    return verified(job, row) if ours else row


def verified(job: Job, row: Row) -> Row:
    """The row with what the verifier says."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        with at_work(job) as at:
            outcome = verify(at.url, job.arguments, seed=job.seed, directory=Path(directory))
    right_exit = outcome.exit in job.what.exits
    after = [found for rule, found in outcome.named.items() if rule in row.rules]
    return replace(
        row,
        exit=outcome.exit,
        right_exit=right_exit,
        named=outcome.named,
        named_right=bool(after) if row.rules else None,
        named_right_first=bool(after) and min(after) <= min(outcome.named.values()) if row.rules else None,
        named_after=min(after, default=None),
        seconds=round(outcome.seconds or time.monotonic() - started, 1),
        requests=at.requests or outcome.requests,
        words="" if right_exit else outcome.words,
    )
