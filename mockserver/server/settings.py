"""One frozen record of what can be set when a server starts, each with its help text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

LogFormat = Literal["text", "json"]


def _option(default: Any, help: str, *, metavar: str | None = None) -> Any:
    return field(default=default, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server is started. Every field is an option of `mockserver serve` and a variable `MOCKSERVER_…`."""

    host: str = _option("127.0.0.1", "Address to listen on.")
    port: int = _option(4010, "Port to listen on; 0 takes a free one.")
    tls_cert: str | None = _option(
        None, "Certificate to speak https with, PEM, with the chain that leads to it.", metavar="FILE"
    )
    tls_key: str | None = _option(None, "Its private key, PEM, without a password.", metavar="FILE")
    fixture: str = _option("default", "World to start with: a name from `mockserver fixtures`, or a YAML file.")
    spec: str | None = _option(
        None, "OpenAPI document to serve and enforce, instead of the one that travels with it.", metavar="FILE"
    )
    profile: str = _option("default", "Open choices to make: a name from `mockserver profiles`, or a YAML file.")
    set: tuple[str, ...] = _option((), "Make one open choice otherwise than the profile; may be repeated.")
    seed: int | None = _option(None, "Seed of all generated data and identifiers, instead of the fixture's own.")
    state: str | None = _option(
        None,
        "Database that keeps every world over restarts: sqlite:///FILE, or postgresql+psycopg://HOST/NAME.",
        metavar="URL",
    )
    stripe_delay: float = _option(2.0, "Seconds from finalizing an invoice to its creation on Stripe.")
    payment_delay: float = _option(
        2.0, "Seconds from collecting an invoice until it shows as paid, where the profile says payment_shown: later."
    )
    stripe_late: float = _option(3.0, "Seconds that a late answer of Stripe takes.")
    most_worlds: int = _option(10_000, "How many worlds that tokens named are kept; the longest unused make room.")
    world_idle: float = _option(3600.0, "Seconds after which an unused world that a token named may be dropped.")
    journal_size: int = _option(1000, "How many exchanges the journal of each world keeps.")
    journal_bytes: int = _option(100_000_000, "How many bytes the journals of all worlds take together.")
    webhook_url: str = _option(
        "", "Address that every world's events are posted to; without one they are only recorded.", metavar="URL"
    )
    webhook_allow: tuple[str, ...] = _option(
        (),
        "Where control may have events posted to when it wants its token, as others can reach the server then; may be "
        "repeated.",
        metavar="HOST[:PORT]",
    )
    webhook_secret: str = _option("webhook-secret", "What the events are signed with.")
    cors: bool = _option(True, "Let pages of any origin call the API.")
    control_token: str | None = _option(
        None,
        "What control requests must carry in X-Mock-Control-Token; made up and printed when others than this machine "
        "can reach the server.",
    )
    control_cors: tuple[str, ...] = _option(
        (), "Let pages of this origin call the control interface, * for any; may be repeated.", metavar="ORIGIN"
    )
    reload: bool = _option(False, "Take over changes of the spec, profile and fixture while running.")
    check: bool = _option(
        False, "Hold this server's own answers to the contract and to each other; a contradiction is a fault of ours."
    )
    end_with_stdin: bool = _option(
        False, "End once standard input does: give it a pipe, and the server ends with whoever holds the other end."
    )
    log_format: LogFormat = _option("text", "Form of the request log.")

    @property
    def scheme(self) -> str:
        """What the server speaks: `http` or `https`."""
        return "http" if self.tls_cert is None else "https"
