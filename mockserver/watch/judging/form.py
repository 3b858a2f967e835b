"""Whether an answer has the documented form: a quick look first, and what is wrong in the verifier's own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mockserver.contract.contract import Contract
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import Evidence, Statement, Subject
from mockserver.verify.events import GATEWAY
from mockserver.verify.monitor.canonical import FIREWALL
from mockserver.verify.monitor.response_schema import FORM_RULES, ResponseSchema
from mockserver.verify.replay.ledger import Ledger
from mockserver.verify.transport.messages import NOT_JSON
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import Teller
from mockserver.watch.passing import Passing

IN_FRONT = GATEWAY | {429, 511}
"""How a web server answers by itself while the API is not to be reached, or not so often."""
_TURNED_AWAY = FIREWALL | {407, 408, 421, 425}
"""How what stands in front of the API refuses in a form of its own: whom it distrusts, what it can't pass on."""
COMPANIONS = frozenset({"listCharges", "getCharge", "createQuickAdjustment"})
_UTC = ("Z", "+00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling(Expect):
    """Tells of one exchange what the verifier would tell of its own."""

    teller: Teller
    sight: Sight

    def breach(
        self,
        rule: str,
        statement: Statement,
        *,
        because: str,
        kind: str,
        actual: str | tuple[str, Subject] = "",
        using: Iterable[Evidence] = (),
        about: Iterable[tuple[str, str]] = (),
        proves: bool = False,
    ) -> None:
        words = actual if isinstance(actual, str) else ""
        self.teller.breach(self.sight, rule, kind, because, lambda _: statement, actual=words)


class Form:
    """Judges the form of answers."""

    def __init__(self, contract: Contract, teller: Teller) -> None:
        self._contract = contract
        self._teller = teller

    def keeps(self, sight: Sight) -> bool:
        """Tells what is wrong with the form; whether nothing is, so that the answer can be read any further."""
        if _may_be_anybodys(sight):
            return False
        if self._is_plainly_sound(sight):
            sight.held |= {"GEN-1", FORM_RULES[sight.operation.id] if sight.ok else "GEN-5"}
            return True
        telling = _Telling(self._teller.recorder, Ledger(), teller=self._teller, sight=sight)
        kept = ResponseSchema(self._contract, telling).keeps(sight.operation, sight.answer)
        return kept and self._has_the_shape(sight)

    def _is_plainly_sound(self, sight: Sight) -> bool:
        passing = sight.passing
        return (
            sight.content is not NOT_JSON
            and passing.status < 500
            and "json" in passing.answer_header("content-type").lower()
            and _is_in_utc(sight)
            and self._has_the_shape(sight)
        )

    def _has_the_shape(self, sight: Sight) -> bool:
        status = sight.passing.status
        if sight.content is NOT_JSON or self._contract.documented(sight.operation, status) is None:
            return False
        return not self._contract.flaws(sight.operation, status, sight.content)


def _may_be_anybodys(sight: Sight) -> bool:
    """Whether the answer need not be the API's own, or not of the documented form."""
    status = sight.passing.status
    if status in IN_FRONT or status == 304 or status < 200:
        return True
    if sight.content is not NOT_JSON:
        return False
    if status in _TURNED_AWAY or (300 <= status < 400 and _is_sent_away(sight.passing)):
        return True
    if status == 401 and _wants_another_login(sight.passing):
        return True
    # GEN-1: JSON comes when it is asked for. And a companion may not be there at all.
    return not sight.asks_json or (status in (404, 405) and sight.operation.id in COMPANIONS)


def _wants_another_login(passing: Passing) -> bool:
    """Whether a password is asked for, which the API does not take (GEN-3)."""
    return passing.answer_header("www-authenticate").lower().partition(" ")[0] not in ("", "bearer")


def _is_sent_away(passing: Passing) -> bool:
    """Whether it is told to ask another host, as those do that let nobody in before a login there, or to use https."""
    asked = urlsplit(passing.base)
    try:
        sent = urlsplit(passing.answer_header("location"))
    except ValueError:
        return False
    return sent.hostname not in (None, asked.hostname) or (asked.scheme, sent.scheme) == ("http", "https")


def _is_in_utc(sight: Sight) -> bool:
    rows = sight.rows if sight.operation.id == "listInvoices" else [sight.part("invoice")]
    return all(str(row.get("created_at", "Z")).endswith(_UTC) for row in rows)
