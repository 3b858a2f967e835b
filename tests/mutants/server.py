"""Runs one of the servers: for a test in this process, or as a command of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import ServerConfig, build, without_fault
from tests.mutants.conforming import CORRECT, LEGAL
from tests.mutants.noise import NUISANCES, UnknownNuisance
from tests.mutants.non_apis import NON_APIS, NonApi, posing
from tests.mutants.reference.api import Api
from tests.mutants.reference.choices import UnknownChoice, read_choice
from tests.mutants.reference.stripe import UnknownCard
from tests.mutants.reference.web import Server, serving

SHORT = 0.3
"""Seconds after which `short_keep_alive` closes an idle connection."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its base address, and its inside for tests to look at."""

    url: str
    api: Api

    @property
    def requests(self) -> int:
        """How many requests it has met."""
        return self.api.requests


@contextmanager
def running(config: ServerConfig = CORRECT, *, port: int = 0) -> Iterator[Running]:
    """A server of this configuration or fault, at a free port unless one is given."""
    api, background = build(config)
    with ExitStack() as stack:
        server = stack.enter_context(
            serving(
                Server(
                    api,
                    port,
                    close_always="http_1_0" in config.nuisances,
                    idle=SHORT if "short_keep_alive" in config.nuisances else None,
                )
            )
        )
        for thread in background:
            thread.start()
            stack.callback(thread.stop)
        yield Running(server.url, api)


def read_arguments(arguments: Sequence[str]) -> tuple[ServerConfig | NonApi, int]:
    """What to run and at which port; raises the errors of choices and nuisances."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.server", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--legal", choices=LEGAL, metavar="NAME", default="correct")
    which.add_argument("--fault", choices=FAULTS, metavar="NAME")
    which.add_argument("--without-fault", choices=FAULTS, metavar="NAME", help="the server it was made of")
    which.add_argument("--non-api", choices=NON_APIS, metavar="NAME")
    parser.add_argument("--choice", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--nuisance", action="append", default=[], choices=NUISANCES, metavar="NAME")
    parser.add_argument("--card", action="append", default=[], metavar="MERCHANT=CARD")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    if given.non_api:
        return NON_APIS[given.non_api], given.port
    config: ServerConfig = FAULTS[given.fault] if given.fault else LEGAL[given.legal]
    if given.without_fault:
        config = without_fault(FAULTS[given.without_fault])
    cards = {int(number): card for number, _, card in (text.partition("=") for text in given.card)}
    return (
        replace(
            config,
            choices=dict(config.choices) | dict(read_choice(text) for text in given.choice),
            nuisances=(*config.nuisances, *given.nuisance),
            cards=dict(config.cards) | cards,
        ),
        given.port,
    )


def main(arguments: Sequence[str]) -> int:
    """Prints `{"url": …}` when ready, and `{"requests": …}` when it is told to end."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    what, port = read_arguments(arguments)
    try:
        server = posing(what, port=port) if isinstance(what, NonApi) else running(what, port=port)
        with server as answering:
            sys.stdout.write(json.dumps({"url": answering.url}) + "\n")
            sys.stdout.flush()
            signal.sigwait(ending)
            sys.stdout.write(json.dumps({"requests": answering.requests}) + "\n")
    except (UnknownChoice, UnknownNuisance, UnknownCard) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
