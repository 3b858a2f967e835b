"""The open choices: what the documentation leaves to an implementation, as data with defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from mockserver.core import resources
from mockserver.core.errors import Unusable
from mockserver.core.input import Schema, check
from mockserver.core.scalars import dump, whole_number
from mockserver.core.yaml_lines import Document, read_document

Value = str | int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One open choice: its legal values, the default first."""

    key: str
    values: tuple[Value, ...]
    help: str
    any_number: bool = False
    """Any whole number from 1 up is legal beside `values`."""

    @property
    def default(self) -> Value:
        return self.values[0]

    def accepts(self, value: object) -> bool:
        if isinstance(value, bool):
            return False
        if self.any_number and isinstance(value, int):
            return value >= 1
        return any(value == legal and type(value) is type(legal) for legal in self.values)

    def legal(self) -> str:
        """The legal values in words."""
        words = ["null" if value is None else str(value) for value in self.values]
        if self.any_number:
            words = ["any number from 1", *[word for word in words if not word.isdigit()]]
        return " or ".join(words)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its values."""
        told = {"description": self.help, "default": self.default}
        if self.any_number:
            return told | {"type": ["integer", "null"], "minimum": 1, "errorMessage": f"must be {self.legal()}"}
        return told | {"enum": list(self.values)}


def _choice(*values: Value, help: str, any_number: bool = False) -> Any:
    return field(default=values[0], metadata={"values": values, "help": help, "any_number": any_number})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One implementation's open choices. Every field is a key of a profile file."""

    create_status: int = _choice(200, 201, help="Status of a successful create.")
    finalize_status: int = _choice(200, 202, help="Status of a successful finalize.")
    collect_status: int = _choice(200, 202, help="Status of a successful collect.")
    invalid_request_status: int = _choice(422, 400, help="Status that refuses invalid input.")
    illegal_state_status: int = _choice(
        422, 409, 400, 403, help="Status that refuses what the invoice's state does not allow."
    )
    declined_status: int = _choice(402, 422, 400, help="Status of a collect that the card declines.")
    foreign_invoice_status: int = _choice(404, 403, help="Status for an invoice that the token does not reach.")
    unknown_merchant_status: int = _choice(
        403, 404, 422, help="Status for a merchant header that the token does not reach."
    )
    merchant_header: str = _choice(
        "optional", "required", help="A call without X-Selected-Client-Id by a token that reaches several merchants."
    )
    refinalize: str = _choice("refuse", "accept", help="Finalizing an invoice that is finalized already.")
    recollect: str = _choice("refuse", "accept", help="Collecting an invoice that is paid already.")
    payment_shown: str = _choice("at_once", "later", help="When a successful collect shows as `paid`.")
    finalized_label: str = _choice("Finalized", "Open", help="The invoice's `status` once it is no draft.")
    action_body: str = _choice("message_and_invoice", "message", help="What a successful finalize or collect answers.")
    list_order: str = _choice("newest_first", "oldest_first", help="Order of the list of invoices.")
    per_page_max: int | None = _choice(100, None, any_number=True, help="The largest page; null for no limit.")
    per_page_above_max: str = _choice("clamp", "refuse", help="What happens to a `per_page` above the largest page.")
    page_below_one: str = _choice("refuse", "first_page", help="What happens to a `page` below 1.")
    page_not_a_number: str = _choice("refuse", "default", help="A `page` or `per_page` that is no number.")
    range_base: int = _choice(
        1, 0, help="The page's `from` for the very first row; with 0 its `to` is one past the last row."
    )
    page_links: str = _choice(
        "keep_query", "drop_query", "absent", help="The query, without the token, in a page's links to others."
    )
    no_charges: str = _choice("refuse", "empty_draft", help="Creating when nothing is left to invoice.")
    duplicate_charge_ids: str = _choice("refuse", "collapse", help="A charge named twice in `charge_ids`.")
    empty_charge_ids: str = _choice("refuse", "as_omitted", help='`charge_ids` of null, "" or an empty form value.')
    numeric_strings: str = _choice("refuse", "accept", help='Numbers given as strings ("1") in `charge_ids`.')
    loose_integers: str = _choice(
        "refuse", "accept", help='"+1", 1.0 or true in `charge_ids`, or an object in place of the array.'
    )
    unreadable_body: str = _choice(
        "refuse", "as_empty", help="A body of JSON that can't be parsed or is no object; as_empty bills all charges."
    )
    unknown_search_field: str = _choice("refuse", "ignore", help="A clause of a search on a field that there is not.")
    bad_search_value: str = _choice("refuse", "ignore", help="A clause whose value is no date, or no id.")
    bad_search_syntax: str = _choice("refuse", "ignore", help="A search that can't be read.")
    date_without_modifier: str = _choice("refuse", "accept", help="`created_at` searched without `$DATE`.")
    party_id_type: str = _choice("string", "integer", help="Type of `charger_id` and `chargee_id`.")
    created_at_precision: str = _choice(
        "microseconds", "seconds", "zero_microseconds", help="How finely `created_at` tells the time."
    )

    def changed(self, overrides: Mapping[str, Value]) -> Profile:
        """This profile with some choices made otherwise; raises `Unusable` for an unknown key or value."""
        check(Document(Path("profile"), dict(overrides), {}), _schema()).refuse()
        return Profile(**{**self.values(), **overrides})

    def values(self) -> dict[str, Any]:
        """Every key with its value, in the contract's order."""
        return {key: getattr(self, key) for key in CHOICES}


CHOICES: dict[str, Choice] = {one.name: Choice(key=one.name, **one.metadata) for one in fields(Profile)}
"""Every open choice by its key."""


@dataclass(frozen=True, slots=True)
class NamedProfile:
    """A profile with where it comes from."""

    name: str
    description: str
    profile: Profile


def profile_schema() -> dict[str, Any]:
    """The JSON Schema of a profile file."""
    choices = {choice.key: choice.schema() for choice in CHOICES.values()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profile",
        "description": "The open choices of the API as one server makes them; one that is left out has its default.",
        "type": ["object", "null"],
        "properties": {"description": {"type": "string"}, **choices},
        "additionalProperties": False,
        "keysMessage": "`mockserver profiles` lists the keys",
    }


@cache
def _schema() -> Schema:
    return Schema(profile_schema())


def load_profile(name_or_file: str) -> NamedProfile:
    """The profile of that name, or in that file; raises `Unusable` naming file, line and key of each mistake."""
    path = resources.find(resources.profiles_dir(), name_or_file, kind="profile")
    description, choices = _read(path)
    return NamedProfile(path.stem, description, Profile(**choices))


def recorded_choices(path: Path) -> dict[str, Any]:
    """The choices that a profile file itself makes, without defaults; raises `Unusable` as `load_profile` does."""
    return _read(path)[1]


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The description of a profile file and the choices that it makes."""
    document = read_document(path)
    check(document, _schema()).refuse()
    choices = dict(document.value or {})
    description = choices.pop("description", "")
    # To a schema 201.0 is the integer 201.
    choices = {key: int(value) if isinstance(value, float) else value for key, value in choices.items()}
    return description, choices


def profiles() -> list[NamedProfile]:
    """The profiles that travel with the package, the default one first."""
    names = sorted((path.stem for path in resources.profiles_dir().glob("*.yaml")), key=_default_first)
    return [load_profile(name) for name in names]


def parse_overrides(settings: Iterable[str]) -> dict[str, Value]:
    """`KEY=VALUE` texts as typed choices; raises `Unusable` with every mistake."""
    overrides: dict[str, Value] = {}
    problems = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            problems.append(f"--set {setting}: expected KEY=VALUE")
            continue
        given = {key.strip(): _scalar(text)}
        problems += check(Document(Path(f"--set {setting}"), given, {}), _schema()).in_order()
        overrides |= given
    if problems:
        raise Unusable(*problems)
    return overrides


def dump_profile(choices: Mapping[str, Value], *, description: str, unmeasured: Mapping[str, str] | None = None) -> str:
    """A profile file's text with these choices; comments name those that were not measured, each with the reason."""
    text = dump({"description": description, **choices})
    if not unmeasured:
        return text
    lines = [f"#   {key}: {' '.join(reason.split())}" for key, reason in unmeasured.items()]
    return "\n".join([f"{text}# Not measured, so that the defaults hold:", *lines, ""])


def _scalar(text: str) -> Value:
    text = text.strip()
    if text == "null":
        return None
    number = whole_number(text)
    return text if number is None else number


def _default_first(name: str) -> tuple[bool, str]:
    return (name != "default", name)
