"""The proxy as a server: it listens, forwards, has what passes by judged, and ends with the verdicts."""

from __future__ import annotations

import asyncio
import copy
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from mockserver.contract.contract import Contract
from mockserver.verify.events import Listener
from mockserver.verify.reports.run_state import RunResult, RunState
from mockserver.watch.loading.addresses import set_back
from mockserver.watch.passing import Passing, credentials
from mockserver.watch.proxy.forwarding import Forwarding, Heard, PassedOn
from mockserver.watch.proxy.headers import pairs
from mockserver.watch.proxy.own import PREFIX, Own
from mockserver.watch.proxy.permits import Permits
from mockserver.watch.proxy.upstream import LONGEST_LINE, Upstream
from mockserver.watch.recording.writing import RecordSettings
from mockserver.watch.watching import Watch, Watched

PATIENCE = 5.0
"""Seconds that requests on their way have when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """What the proxy is told."""

    url: str
    host: str
    port: int
    fail: bool = False
    read_only: bool = False
    no_collect: bool = False
    timeout: float = 60.0
    """Seconds that the server behind it may be silent."""
    tls_verify: bool | str = True
    write_profile: Path | None = None
    record: RecordSettings | None = None


class Proxy:
    """One proxy, from the start to the verdicts."""

    def __init__(self, settings: ProxySettings, contract: Contract, listeners: Sequence[Listener]) -> None:
        self._settings = settings
        self._state = RunState(contract.rules)
        self._failures: Counter[str] = Counter()
        watched = Watched(
            settings.url,
            read_only=settings.read_only,
            charges_allowed=not (settings.read_only or settings.no_collect),
            write_profile=settings.write_profile,
            record=settings.record,
        )
        self.watch = Watch(watched, contract, [*listeners, self._state.add])
        self._upstream = Upstream(settings.url, settings.timeout, settings.tls_verify)
        self._own = Own(self._result)
        self._forwarding = Forwarding(
            self._upstream,
            contract,
            Permits(settings.read_only, settings.no_collect),
            self.watch.see,
            self._hear,
            fail=settings.fail,
        )

    def run(self, ready: Callable[[], None]) -> int:
        """Serves until SIGINT or SIGTERM; the exit code as `Watch.finish` has it. Raises `Unusable`."""
        asyncio.run(self._until_told(ready))
        return self.finish()

    def finish(self) -> int:
        """The verdicts, once it serves no more."""
        for failure, times in self._failures.items():
            if times > 1:
                self.watch.recorder.note(f"{times:,} times: {failure}", warning=True)
        code = self.watch.finish()
        if self._forwarding.mistakes:
            raise self._forwarding.mistakes[0]
        return code

    async def _until_told(self, ready: Callable[[], None]) -> None:
        await self.serve(ready, _when_told_to_end())

    async def serve(self, ready: Callable[[], None], ended: asyncio.Event) -> None:
        """Serves until the event; `ready` is called once it listens."""
        self._upstream.open()
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        app.on_response_prepare.append(_as_it_came)
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=PATIENCE,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            # Bodies of requests are passed on as they came.
            auto_decompress=False,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
            ready()
            await ended.wait()
        finally:
            await runner.cleanup()
            await self._upstream.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(f"{PREFIX}/"):
            return await self._own.handle(request)
        response = await self._forwarding.handle(request)
        address = set_back(request.raw_path)
        if address is not None and request.method in ("POST", "DELETE"):
            self._set_back(request, address.world)
        return response

    def _set_back(self, request: web.Request, world: str) -> None:
        """A fake behind it may be told to forget; what it shows then contradicts nothing."""
        asked = Passing(
            number=0, method=request.method, target=request.path_qs, headers=pairs(request.headers), status=0
        )
        self.watch.forget(self._settings.url, world or credentials(asked).world)

    def _hear(self, heard: Heard) -> None:
        self._own.hear(heard)
        if heard.failure:
            self._failures[heard.failure] += 1
            if self._failures[heard.failure] == 1:
                self.watch.recorder.note(
                    f"{heard.method} {heard.target.partition('?')[0]}: {heard.failure}", warning=True
                )

    def _result(self) -> RunResult:
        """What the reports would say if it ended now."""
        state = copy.deepcopy(self._state)
        for event in self.watch.verdicts():
            state.add(event)
        state.add(self.watch.end("it goes on"))
        return state.result()


async def _as_it_came(_: web.Request, response: web.StreamResponse) -> None:
    """Takes back what was added to an answer that came without it; a `Date` stays (RFC 9110, section 6.6.1)."""
    if isinstance(response, PassedOn):
        for name in ("Server", "Content-Type"):
            if name not in response.came:
                response.headers.popall(name, None)


def _when_told_to_end() -> asyncio.Event:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)):
        try:
            loop.add_signal_handler(number, ended.set)
        except NotImplementedError:
            # On Windows Ctrl-C raises KeyboardInterrupt.
            return ended
    return ended
