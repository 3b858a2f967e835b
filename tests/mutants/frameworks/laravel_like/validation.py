"""The rules that input has to pass, with the framework's messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.mutants.frameworks.choices import NATIVE, Choices
from tests.mutants.frameworks.laravel_like import php
from tests.mutants.frameworks.laravel_like.errors import Invalid
from tests.mutants.frameworks.laravel_like.request import Request
from tests.mutants.frameworks.parties import PLACES

_MOST_IDS = 4000


def invalid(choices: Choices, name: str, what: str) -> Invalid:
    """The refusal of one field."""
    return Invalid(choices.invalid_request_status, {name: [f"The {name} field {what}."]})


def known(request: Request, *names: str) -> None:
    """Refuse fields that an operation does not know, where that was chosen."""
    strange = [str(name) for name in request.input if name not in (*names, "api_token", "_method")]
    if strange and request.choices.extra_properties == "refuse":
        raise invalid(request.choices, strange[0], "is prohibited")


def charge_ids(request: Request) -> list[int] | None:
    """`charge_ids` is nullable, an array, of distinct integers; None for all."""
    choices = request.choices
    if "charge_ids" not in request.input:
        return None
    given = request.input["charge_ids"]
    if given is None:
        if choices.empty_charge_ids == "refuse":
            raise invalid(choices, "charge_ids", "must have a value")
        return None
    if not isinstance(given, dict):
        raise invalid(choices, "charge_ids", "must be an array")
    if list(given) != list(range(len(given))) and choices.loose_integers == "refuse":
        raise invalid(choices, "charge_ids", "must be a list")
    if list(given.values()) == [None] and choices.empty_charge_ids == "as_omitted" and _is_form(request):
        return None
    if len(given) > _MOST_IDS:
        raise invalid(choices, "charge_ids", f"must not have more than {_MOST_IDS} items")
    errors: dict[str, list[str]] = {}
    read = []
    for key, value in given.items():
        number = _charge_id(request, value)
        if number is None:
            errors[f"charge_ids.{key}"] = [f"The charge_ids.{key} field must be an integer."]
        elif number in read and choices.duplicate_charge_ids == "refuse":
            errors[f"charge_ids.{key}"] = [f"The charge_ids.{key} field has a duplicate value."]
        else:
            read.append(number)
    if errors:
        raise Invalid(choices.invalid_request_status, errors)
    return list(dict.fromkeys(read)) or None


def _is_form(request: Request) -> bool:
    return "json" not in request.headers.get("content-type", "").lower()


def _charge_id(request: Request, value: Any) -> int | None:
    choices = request.choices
    plain = isinstance(value, int) and not isinstance(value, bool)
    digits = isinstance(value, str) and value.isascii() and value.isdigit()
    if digits and choices.numeric_strings == "refuse" and not _is_form(request):
        return None
    if not plain and not digits and choices.loose_integers == "refuse":
        return None
    return php.whole(value)


def adjustment(request: Request, currency: str) -> tuple[int, str]:
    """`amount` is required and numeric, `description` required and a text; the amount comes in minor units."""
    choices = request.choices
    errors: dict[str, list[str]] = {}
    places = PLACES[currency]
    amount, description = request.input.get("amount"), request.input.get("description")
    number = php.number(amount)
    minor = Decimal(0)
    if amount is None:
        errors["amount"] = ["The amount field is required."]
    elif number is None or not number.is_finite():
        errors["amount"] = ["The amount field must be a number."]
    elif abs(number) > 99_999_999:
        errors["amount"] = ["The amount field must not be greater than 99999999."]
    elif (minor := number.scaleb(places)) != minor.to_integral_value():
        errors["amount"] = [f"The amount field must have 0-{places} decimal places."]
    elif number < 0 and choices.credits == "refuse":
        errors["amount"] = ["The amount field must be at least 0."]
    if description is None:
        errors["description"] = ["The description field is required."]
    elif not isinstance(description, str):
        errors["description"] = ["The description field must be a string."]
    elif len(description) > 255:
        errors["description"] = ["The description field must not be greater than 255 characters."]
    if errors:
        raise Invalid(choices.invalid_request_status, errors)
    return int(minor), str(description)


def page_and_size(request: Request) -> tuple[int, int]:
    """`page` and `per_page`: what is no number from 1 on is the default, unless that is refused."""
    choices = request.choices
    page = _counted(request, "page", 1)
    size = _counted(request, "per_page", 15)
    if choices.per_page_max is not None and size > choices.per_page_max:
        if choices.per_page_above_max == "refuse":
            raise invalid(choices, "per_page", f"must not be greater than {choices.per_page_max}")
        size = choices.per_page_max
    return page, size


def _counted(request: Request, name: str, default: int) -> int:
    choices = request.choices
    given = request.input.get(name)
    if given is None:
        return default
    number = php.whole(given)
    if number is None and isinstance(given, str) and given.isascii() and given.isdigit():
        number = 10**30
    if number is None:
        refused = name == "per_page" and choices.per_page_not_a_number == "refuse"
        if choices.page_not_a_number in ("default", NATIVE) and not refused:
            return default
        raise invalid(choices, name, "must be an integer")
    if number < 1:
        if choices.page_below_one == "first_page":
            return default
        raise invalid(choices, name, "must be at least 1")
    return number
