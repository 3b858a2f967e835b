"""The tree of refusals and of our own failures, each class with what decides its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MockserverError(Exception):
    """Base of everything that this package raises on purpose."""


class Unusable(MockserverError):
    """A fixture, profile, spec or setting that can't be used; the command line prints it and exits with 2."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: list[str] = list(problems)


class ContractBroken(MockserverError):
    """Our own reply breaks the spec: a defect of the fake, answered with 500 and never hidden."""

    def __init__(self, operation: str, problems: Sequence[str]) -> None:
        super().__init__(f"{operation}: " + "; ".join(problems))
        self.operation = operation
        self.problems: list[str] = list(problems)


class Refused(MockserverError):
    """A request that is turned down; nothing has changed (GEN-6).

    `because` is the id of the rule, or `profile:KEY` for an open choice, that decided it. The status is `status`, or
    what the profile says under `status_choice`.
    """

    status: int = 400
    status_choice: str | None = None

    def __init__(
        self,
        message: str,
        *,
        because: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.because = because
        self.errors: dict[str, list[str]] | None = (
            None if errors is None else {field: list(messages) for field, messages in errors.items()}
        )
        self.headers: dict[str, str] = dict(headers or {})


class Unauthenticated(Refused):
    """No token or an unknown one (GEN-4)."""

    status = 401


class Forbidden(Refused):
    """Not for this caller: a page of a foreign origin, or a foreign name for this server."""

    status = 403


class NotFound(Refused):
    """No such path or record (FINALIZE-3, COLLECT-5)."""

    status = 404


class MethodNotAllowed(Refused):
    """The path exists, the method does not."""

    status = 405


class UnsupportedMediaType(Refused):
    """A body that is neither JSON nor a form (GEN-2)."""

    status = 415


class InvalidRequest(Refused):
    """Input that the contract does not allow (GEN-5)."""

    status_choice = "invalid_request_status"


class IllegalState(Refused):
    """The invoice's state does not allow this (COLLECT-1, FINALIZE-4, COLLECT-4)."""

    status_choice = "illegal_state_status"


class Declined(Refused):
    """The charge attempt failed at the card (COLLECT-3)."""

    status_choice = "declined_status"


class ForeignInvoice(Refused):
    """An invoice that the token or the merchant header does not reach (GEN-8)."""

    status_choice = "foreign_invoice_status"


class UnknownMerchant(Refused):
    """The merchant header names a merchant that the token does not reach (GEN-7, GEN-8)."""

    status_choice = "unknown_merchant_status"


class Unavailable(Refused):
    """What a world is kept in can't be reached; the world is as it was before the request."""

    status = 503


class Undecided(Unavailable):
    """The database went away while a change was kept: whether it was, nobody knows."""


class StripeTrouble(Refused):
    """Stripe itself failed, not the card: down, throttled, or its answer was lost."""

    status = 502
