"""Runs one of the servers: for a test in this process, or as a command of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from tests.implementations.api import Api
from tests.implementations.choices import UnknownChoice, read_choice
from tests.implementations.legal import CORRECT, LEGAL
from tests.implementations.nuisances import NUISANCES, UnknownNuisance
from tests.implementations.setting import Setting, build
from tests.implementations.stripe import UnknownCard
from tests.implementations.web import Server, serving


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
def running(setting: Setting = CORRECT, *, port: int = 0) -> Iterator[Running]:
    """A server of this setting or fault, at a free port unless one is given."""
    api, background = build(setting)
    with ExitStack() as stack:
        server = stack.enter_context(serving(Server(api, port, close_always="http_1_0" in setting.nuisances)))
        for thread in background:
            thread.start()
            stack.callback(thread.stop)
        yield Running(server.url, api)


def read_arguments(arguments: Sequence[str]) -> tuple[Setting, int]:
    """The setting and the port that a command line asks for; raises the errors of choices and nuisances."""
    parser = argparse.ArgumentParser(prog="python -m tests.implementations.server", description=__doc__)
    parser.add_argument("--legal", choices=LEGAL, metavar="NAME", default="correct")
    parser.add_argument("--choice", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--nuisance", action="append", default=[], choices=NUISANCES, metavar="NAME")
    parser.add_argument("--card", action="append", default=[], metavar="MERCHANT=CARD")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    setting = LEGAL[given.legal]
    cards = {int(number): card for number, _, card in (text.partition("=") for text in given.card)}
    return (
        replace(
            setting,
            choices=dict(setting.choices) | dict(read_choice(text) for text in given.choice),
            nuisances=(*setting.nuisances, *given.nuisance),
            cards=dict(setting.cards) | cards,
        ),
        given.port,
    )


def main(arguments: Sequence[str]) -> int:
    """Prints `{"url": …}` when ready, and `{"requests": …}` when it is told to end."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        setting, port = read_arguments(arguments)
    except (UnknownChoice, UnknownNuisance, UnknownCard) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with running(setting, port=port) as server:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()
        signal.sigwait(ending)
        sys.stdout.write(json.dumps({"requests": server.requests}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
