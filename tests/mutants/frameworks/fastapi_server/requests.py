"""What a request says, read by pydantic: who sends it, for which merchant, and its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, cast

import pydantic_core
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic import ValidationInfo as Info
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tests.mutants.frameworks.choices import NATIVE, Choices
from tests.mutants.frameworks.fastapi_server.refusals import Invalid, Refused, invalid

_INTEGER: TypeAdapter[int] = TypeAdapter(int)
_MOST_IDS = 10_000


@dataclass(frozen=True, slots=True)
class Body:
    """The properties of a body, whether they came as a form, and why it could not be read."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    is_form: bool = False
    fault: Exception | None = None


async def read_body(request: Request, choices: Choices) -> Body:
    """The body; one that can't be read is empty and keeps the refusal, as who sends it is asked first."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in ("POST", "PUT", "PATCH") or not await request.body():
        return Body()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            form = await request.form()
        except HTTPException as error:
            return _unreadable(error, choices)
        return Body(_fields(form.multi_items()), is_form=True)
    if kind != "application/json" and not kind.endswith("+json"):
        return Body(fault=Refused(415, "The body has to be JSON or a form"))
    try:
        read = pydantic_core.from_json(await request.body())
    except ValueError as error:
        return _unreadable(Invalid({"body": [f"JSON decode error: {error}"]}), choices)
    if not isinstance(read, dict):
        return _unreadable(Invalid({"body": ["Input should be a valid dictionary"]}), choices)
    return Body(read)


def _unreadable(fault: Exception, choices: Choices) -> Body:
    return Body(fault=fault if choices.unreadable_body == "refuse" else None)


def _fields(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of a form; `name[]` and a name that comes more than once are lists."""
    fields: dict[str, Any] = {}
    for name, value in items:
        plain = name.removesuffix("[]")
        if plain not in fields:
            fields[plain] = [value] if name.endswith("[]") else value
        else:
            before = fields[plain]
            fields[plain] = [*before, value] if isinstance(before, list) else [before, value]
    return fields


def token_of(request: Request, body: Body) -> str:
    """The token that a request carries, or an empty text."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    given = request.query_params.get("api_token") or body.properties.get("api_token")
    return given if isinstance(given, str) else ""


def selected_client(request: Request) -> int | None:
    """The merchant that the header names.

    Raises:
        Invalid: when it is no integer.
    """
    given = request.headers.get("x-selected-client-id")
    if given is None:
        return None
    try:
        return _INTEGER.validate_python(given)
    except ValidationError as error:
        raise invalid(error, "x-selected-client-id") from error


def page_number(name: str, given: str | None, default: int, choices: Choices) -> int:
    """A page or a size, at least 1.

    Raises:
        Invalid: when it is no integer or below one, unless that is taken for the default.
    """
    if given is None:
        return default
    try:
        if choices.page_not_a_number != NATIVE and not given.removeprefix("-").isdecimal():
            raise Invalid({name: ["Input should be a valid integer"]})
        number = _INTEGER.validate_python(given)
    except (ValidationError, Invalid) as error:
        refused = name == "per_page" and choices.per_page_not_a_number == "refuse"
        if choices.page_not_a_number == "default" and not refused:
            return default
        raise (invalid(error, name) if isinstance(error, ValidationError) else error) from error
    if number >= 1:
        return number
    if choices.page_below_one == "first_page":
        return default
    raise Invalid({name: ["Input should be greater than or equal to 1"]})


def _context(info: Info) -> tuple[Choices, bool]:
    """The choices, and whether the body is a form."""
    return cast(tuple[Choices, bool], info.context)


def _loose(value: object, info: Info) -> object:
    """Turn away a charge id that pydantic would take but the choices don't, and the other way round."""
    choices, is_form = _context(info)
    whole = isinstance(value, int) and not isinstance(value, bool)
    digits = isinstance(value, str) and value.isascii() and value.isdecimal()
    if whole or (digits and (is_form or choices.numeric_strings != "refuse")):
        return value
    if digits or choices.loose_integers == "refuse":
        raise ValueError("Input should be a valid integer")
    return value


def _listed(value: object, info: Info) -> object:
    """Take an object for a list, and an empty value for none, where that was chosen."""
    choices, _ = _context(info)
    if value in (None, "", [""]):
        if choices.empty_charge_ids == "as_omitted":
            return None
        if value is None and choices.empty_charge_ids == "refuse":
            raise ValueError("Input should be a valid list")
    if isinstance(value, dict) and choices.loose_integers == "accept":
        return list(value.values())
    return value


_ChargeId = Annotated[int, Field(gt=0, lt=2**63), BeforeValidator(_loose)]
_ChargeIds = Annotated[list[_ChargeId], Field(max_length=_MOST_IDS)]


class CreateInvoice(BaseModel):
    """What an invoice is to be made of."""

    charge_ids: Annotated[_ChargeIds | None, BeforeValidator(_listed)] = None


class QuickAdjustment(BaseModel):
    """A charge to make."""

    amount: Annotated[Decimal, Field(max_digits=13, decimal_places=3)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class StrictCreateInvoice(CreateInvoice):
    """The same, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class StrictQuickAdjustment(QuickAdjustment):
    """The same, and nothing else."""

    model_config = ConfigDict(extra="forbid")


def charge_ids(body: Body, choices: Choices) -> list[int] | None:
    """The charges that an invoice is to be made of, or None for all.

    Raises:
        Invalid: for what is no list of different integers.
    """
    model = CreateInvoice if choices.extra_properties == "ignore" else StrictCreateInvoice
    given = {name: value for name, value in body.properties.items() if name != "api_token"}
    stray = next((name for name in given if name.startswith("charge_ids[")), None)
    if stray is not None:
        raise Invalid({stray: ["Write charge_ids[] once for each charge"]})
    try:
        read = model.model_validate(given, context=(choices, body.is_form)).charge_ids
    except ValidationError as error:
        raise invalid(error) from error
    if not read:
        return None
    if len(set(read)) < len(read) and choices.duplicate_charge_ids == "refuse":
        raise Invalid({"charge_ids": ["The items should be unique"]})
    return list(dict.fromkeys(read))


def quick_adjustment(body: Body, choices: Choices) -> QuickAdjustment:
    """The charge that is to be made.

    Raises:
        Invalid: for input that makes none.
    """
    model = QuickAdjustment if choices.extra_properties == "ignore" else StrictQuickAdjustment
    try:
        return model.model_validate({name: value for name, value in body.properties.items() if name != "api_token"})
    except ValidationError as error:
        raise invalid(error) from error
