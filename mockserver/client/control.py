"""The Python client of the control interface: steers and inspects one world of a running mock server."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Self, Unpack
from uuid import uuid4

from mockserver.client.connection import Wire, given
from mockserver.client.handles import (
    ClockControl,
    Duration,
    GivenCard,
    KeptSnapshot,
    Moment,
    Page,
    PlannedFault,
    Rows,
    WebhooksControl,
    duration_value,
)
from mockserver.client.payloads import (
    Attempt,
    ChargeRecord,
    ChoiceInfo,
    Chosen,
    Entry,
    Expectation,
    Fault,
    FaultKind,
    Health,
    InvoiceRecord,
    InvoiceStory,
    Line,
    MerchantInfo,
    Snapshot,
    Verdict,
    Vocabulary,
    WorldInfo,
    WorldSummary,
)

COMMON = "common"
"""The world of a token without `@NAME`."""


class Control:
    """One world of a mock server, as a tester sees it. Every control operation is a method.

    `token` names the world, as it does for the API: `provider@checkout-17`. What the server refuses is raised as
    `ControlRefused`; a server that doesn't answer as ConnectionError.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:4010",
        token: str = "provider",
        *,
        control_token: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._become(Wire.open(url, token, control_token=control_token, timeout=timeout))

    def _become(self, wire: Wire) -> Self:
        self._wire = wire
        self.clock = ClockControl(wire)
        self.webhooks = WebhooksControl(wire)
        return self

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"{self._wire.base}/api"

    @property
    def token(self) -> str:
        """What a client of the API sends to be in this world."""
        return self._wire.token

    @property
    def headers(self) -> dict[str, str]:
        """The header that puts a request to the API into this world."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def name(self) -> str:
        """The world's name."""
        return self.token.partition("@")[2] or COMMON

    def world(self, name: str | None = None) -> Control:
        """Another world of the same server, under the same token; without a name, one that nobody has used."""
        token = self.token.partition("@")[0]
        return _over(self._wire.as_token(f"{token}@{name or uuid4().hex}"))

    def token_for(self, token: str) -> str:
        """Another token of the fixture, such as `merchant1`, for this world."""
        return token if self.name == COMMON else f"{token}@{self.name}"

    def close(self) -> None:
        """Close the connection, for all worlds that were made from this one; it also closes with the program."""
        self._wire.http.close()

    def health(self) -> Health:
        """That the server is ready, and with what."""
        health: Health = self._wire.call("getHealth")
        return health

    def spec(self) -> dict[str, Any]:
        """The API's OpenAPI document."""
        document: dict[str, Any] = self._wire.call("getSpecJson")
        return document

    def spec_yaml(self) -> str:
        """The API's OpenAPI document, as it was written."""
        return str(self._wire.call("getSpecYaml"))

    def control_spec_yaml(self) -> str:
        """The control interface's own OpenAPI document."""
        return str(self._wire.call("getControlSpec"))

    def control_spec(self) -> dict[str, Any]:
        """The same, decoded."""
        document: dict[str, Any] = self._wire.call("getControlSpecJson")
        return document

    def summary(self) -> WorldSummary:
        """What this world is, and how much is in it."""
        summary: WorldSummary = self._wire.call("getWorld")
        return summary

    def merchants(self) -> list[MerchantInfo]:
        """The merchants, with their cards and how their next attempts to pay end."""
        merchants: list[MerchantInfo] = self._wire.call("listMerchants")["data"]
        return merchants

    def invoices(self, *, q: str | None = None, page: int = 1, per_page: int | None = None) -> Rows[InvoiceRecord]:
        """A page of the invoices, with what the API does not show; `q` is a search as the API takes it."""
        return Rows(self._wire.call("listInvoicesOfWorld", query={"q": q, "page": page, "per_page": per_page}))

    def invoice(self, id: int) -> InvoiceStory:
        """One invoice, with its charges and what was tried."""
        story: InvoiceStory = self._wire.call("getInvoice", invoice=id)
        return story

    def charges(self, *, page: int = 1, per_page: int | None = None) -> Rows[ChargeRecord]:
        """A page of the charges, with their invoices."""
        return Rows(self._wire.call("listChargesOfWorld", query={"page": page, "per_page": per_page}))

    def choices(self) -> list[ChoiceInfo]:
        """The open choices, as the server makes them."""
        choices: list[ChoiceInfo] = self._wire.call("listChoices")["data"]
        return choices

    def worlds(self) -> list[WorldInfo]:
        """The worlds of the server."""
        worlds: list[WorldInfo] = self._wire.call("listWorlds")["data"]
        return worlds

    def delete(self) -> None:
        """Forget this world; its next use makes it anew."""
        self._wire.call("deleteWorld", world=self.name)

    def reset(self) -> None:
        """Start over from the fixture."""
        self._wire.call("resetWorld")

    def export(self) -> str:
        """The world as the text of a fixture file."""
        return str(self._wire.call("exportWorld"))

    def ledger(self, *, invoice: int | None = None) -> list[Attempt]:
        """Every attempt to charge a card, or those for one invoice."""
        ledger: list[Attempt] = self._wire.call("getLedger", query={"invoice": invoice})["data"]
        return ledger

    def snapshots(self) -> list[Snapshot]:
        """The world's snapshots."""
        snapshots: list[Snapshot] = self._wire.call("listSnapshots")["data"]
        return snapshots

    def snapshot(self, name: str | None = None, *, fixture: str | None = None) -> KeptSnapshot:
        """Keep the world as it is, or what the text of a fixture file describes, under a name.

        `with control.snapshot():` makes the world what it was when the block ends.
        """
        body = given(fixture=fixture)
        info = self._wire.call("putSnapshot", snapshot=name or uuid4().hex, body=body)
        return KeptSnapshot(self._wire, info, passing=name is None)

    def restore(self, name: str) -> None:
        """Make the world what it was when the snapshot was taken."""
        self._wire.call("restoreSnapshot", snapshot=name)

    def frozen(self, at: Moment | None = None) -> AbstractContextManager[datetime]:
        """Freeze the world's clock within; afterwards it shows what it would have shown."""
        return self.clock.frozen(at)

    def outcomes(self) -> Vocabulary:
        """Everything that can be asked for: outcomes, cards, faults, and what they take."""
        vocabulary: Vocabulary = self._wire.call("listOutcomes")
        return vocabulary

    def card(self, merchant: int, card: str) -> GivenCard:
        """Give a merchant another card; as a context manager, only until the block ends."""
        return GivenCard(self._wire, self._wire.call("putCard", merchant=merchant, body={"card": card}))

    def next_collect(self, *outcomes: str) -> list[str]:
        """Say how the next attempts to charge end, after those that were said before; all that are ahead."""
        for outcome in outcomes:
            self._wire.call("addNext", body={"outcome": outcome})
        ahead: list[str] = self._wire.call("getNext")["outcomes"]
        return ahead

    def clear_next_collect(self) -> None:
        """Let the next attempts end as the cards say."""
        self._wire.call("clearNext")

    def declines(
        self, outcome: str = "generic_decline", *, invoice: int | None = None, count: int | None = None
    ) -> PlannedFault:
        """Let attempts to charge end so, whatever the cards say: `with control.declines("expired_card"):`."""
        return self.fault("outcome", outcome=outcome, invoice=invoice, count=count)

    def fault(
        self,
        kind: FaultKind,
        *,
        when: str | None = None,
        operation: str | Sequence[str] | None = None,
        invoice: int | None = None,
        nth: int | None = None,
        probability: float | None = None,
        count: int | None = None,
        duration: Duration | None = None,
        seed: int | None = None,
        delay: Duration | dict[str, Any] | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        share: float | None = None,
        way: str | None = None,
        outcome: str | None = None,
    ) -> PlannedFault:
        """Plan a fault; as a context manager, it is gone when the block ends. `outcomes` says what each kind takes."""
        fault = given(
            kind=kind,
            when=when,
            operation=operation if operation is None or isinstance(operation, str) else list(operation),
            invoice=invoice,
            nth=nth,
            probability=probability,
            count=count,
            duration=None if duration is None else duration_value(duration),
            seed=seed,
            delay=delay if delay is None or isinstance(delay, dict) else duration_value(delay),
            status=status,
            retry_after=retry_after,
            share=share,
            way=way,
            outcome=outcome,
        )
        return PlannedFault(self._wire, self._wire.call("addFault", body=fault))

    def faults(self) -> list[Fault]:
        """The world's faults, with how often they struck."""
        faults: list[Fault] = self._wire.call("listFaults")["data"]
        return faults

    def clear_faults(self) -> None:
        """Take all faults away."""
        self._wire.call("deleteFaults")

    def journal(self, **chosen: Unpack[Chosen]) -> Page[Entry]:
        """What was said in this world, the oldest first; its `cursor` is the `since` for those that follow."""
        return Page(self._wire.call("getJournal", query=_query(chosen)))

    def har(self, **chosen: Unpack[Chosen]) -> dict[str, Any]:
        """What was said, as a HAR 1.2 file."""
        har: dict[str, Any] = self._wire.call("getJournal", query={**_query(chosen), "format": "har"})
        return har

    def curl(self, **chosen: Unpack[Chosen]) -> list[str]:
        """Commands that send the requests again."""
        return str(self._wire.call("getJournal", query={**_query(chosen), "format": "curl"})).splitlines()

    def exchange(self, number: int) -> Entry:
        """One exchange of the journal, by its number."""
        entry: Entry = self._wire.call("getExchange", exchange=number)
        return entry

    def stream(self, *, since: int | None = None) -> Generator[Line, None, None]:
        """What is said, as it is said, until the server ends the stream; `since` the last number, to go on with it."""
        for name, data in self._wire.events("streamJournal", query={"since": since}):
            if name == "exchange":
                yield data

    def clear_journal(self) -> None:
        """Empty the journal."""
        self._wire.call("clearJournal")

    def verify(self, *expect: Expectation, in_order: bool = False, since: int = 0) -> Verdict:
        """Assert what was said; raises AssertionError with the nearest misses.

        `control.verify({"operation": "collectInvoice", "status": 402, "at_most": 1})`

        `at_most` can't be verified of exchanges that the journal has lost, which keeps the latest alone: then it fails,
        and says so. A larger `--journal-size`, or `since` a number after them, helps.
        """
        body = {"expect": list(expect), "in_order": in_order, "since": since}
        verdict: Verdict = self._wire.call("verifyJournal", body=body)
        if not verdict["verified"]:
            raise AssertionError(verdict["message"])
        return verdict


def _query(chosen: Chosen) -> dict[str, Any]:
    return {**chosen, "invalid": "true" if chosen.get("invalid") else None}


def _over(wire: Wire) -> Control:
    return Control.__new__(Control)._become(wire)
