"""What a verification is told: one frozen record, made by the command line or by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mockserver.billing.profile import Value
from mockserver.core.errors import Unusable
from mockserver.core.loopback import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that a run depends on; the environment has no other way in."""

    url: str
    token: str = field(repr=False)
    merchant: str | None = None
    other_token: str | None = field(default=None, repr=False)
    other_merchant: str | None = None
    declining_merchant: str | None = None
    """A merchant whose card declines; `auto` looks for one on a loopback server, `none` does not."""
    charge_ids: tuple[int, ...] = ()
    profile: Mapping[str, Value] | None = None
    expect_profile: Mapping[str, Value] | None = None
    """The choices that were recorded before; one that is measured otherwise fails the run."""
    write_profile: Path | None = None
    read_only: bool = False
    allow_charges: bool = False
    allow_unexercised: bool = False
    max_time: float = 60.0
    """Seconds."""
    wait: float = 0.0
    """Seconds that a server which is still starting is waited for; they are not of `max_time`."""
    rate_limit: float | None = None
    """Requests a second."""
    timeout: float = 10.0
    """Seconds that one answer may take."""
    stripe_wait: float | None = None
    """Seconds that the queue for Stripe may take, and 2.5 times those that a payment may take to show.

    None where nobody says, so that no pace of either breaks FINALIZE-2 or COLLECT-3."""
    seed: int = 1
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    accept: Path | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls_verify: bool | str = True
    fuzz: bool = True
    reports: tuple[str, ...] = ("console",)
    report_dir: Path = Path("verify-report")
    verbose: bool = False
    spec: Path | None = None

    @property
    def charges_allowed(self) -> bool:
        """Whether a collect may succeed: by leave, or because the server is on this machine."""
        return not self.read_only and (self.allow_charges or self.loopback)

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def base_address(url: str) -> str:
    """The address without its final slash; raises `Unusable` unless it is a plain http or https one."""
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError as error:
        raise Unusable(f"{url}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_sound:
        raise Unusable(f"{url!r} is no address: expected something like https://YOUR_DOMAIN/api")
    if parts.username is not None or parts.query or parts.fragment:
        raise Unusable("the address must not hold a user, a query or a fragment; the token is given by --token")
    return url.rstrip("/")
