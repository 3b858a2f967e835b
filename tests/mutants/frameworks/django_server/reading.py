"""What a request says: who sends it, for which merchant, and its input, by Django's own parsers and form fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.conf import settings
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from tests.mutants.frameworks.choices import NATIVE
from tests.mutants.frameworks.django_server.models import Merchant, Token
from tests.mutants.frameworks.django_server.replies import Refused, invalid
from tests.mutants.frameworks.parties import PLACES

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_IDS = 5000


@dataclass(frozen=True, slots=True)
class Body:
    """The properties of a body, whether they came as a form, and why it could not be read."""

    properties: Mapping[str, object]
    is_form: bool = False
    fault: Refused | None = None


def read_body(request: HttpRequest) -> Body:
    """The body; one that can't be read is empty and keeps the refusal, as who sends it is asked first."""
    if request.headers.get("Transfer-Encoding"):
        return Body({}, fault=Refused(411, "A body needs a Content-Length."))
    if request.method != "POST" or not request.headers.get("Content-Length", "0").strip("0"):
        return Body({})
    try:
        if request.content_type in _FORMS:
            return Body(_form(request), is_form=True)
        if request.content_type != "application/json":
            return Body({}, fault=Refused(415, f"The media type {request.content_type!r} can't be read."))
        read = json.loads(request.body)
    except (ValueError, RecursionError, MultiPartParserError, BadRequest):
        return _unreadable("The body can't be read.")
    return Body(read) if isinstance(read, dict) else _unreadable("The body has to be an object.")


def _unreadable(why: str) -> Body:
    if settings.CHOICES.unreadable_body == "as_empty":
        return Body({})
    return Body({}, fault=Refused(400, why))


def _form(request: HttpRequest) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, values in request.POST.lists():
        if name.endswith("[]"):
            fields[name.removesuffix("[]")] = values
        else:
            fields.setdefault(name, values[-1])
    return fields


def caller(request: HttpRequest, body: Body) -> Token:
    """The token that a request carries: the header's goes before the parameter's.

    Raises:
        Refused: when there is none, or it is unknown.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        value = request.GET.get("api_token") or body.properties.get("api_token") or ""
    found: Token | None = Token.objects.filter(value=value.strip()).first() if isinstance(value, str) else None
    if found is None:
        raise Refused(401, "Authentication credentials were not provided or are not valid.")
    return found


def selected(request: HttpRequest, token: Token) -> Merchant | None:
    """The one merchant that a request is for, or None for all of a provider's.

    Raises:
        Refused: for a merchant that the token does not reach, or none where one is required.
    """
    header = request.headers.get("X-Selected-Client-Id", "").strip()
    if not header:
        if token.merchant is None and settings.CHOICES.merchant_header == "required":
            raise Refused(settings.CHOICES.missing_merchant_status, "The header X-Selected-Client-Id is required.")
        own: Merchant | None = token.merchant
        return own
    found: Merchant | None = None
    if header.isascii() and header.isdigit() and len(header) < 19:
        found = Merchant.objects.filter(pk=int(header), provider=token.provider).first()
    if found is None or token.merchant not in (None, found):
        raise Refused(settings.CHOICES.unknown_merchant_status, "The selected client is not one of yours.")
    return found


def charge_ids(body: Body) -> list[int] | None:
    """The charges that an invoice is to be made of, or None for all.

    Raises:
        Refused: for what is no list of integers.
    """
    choices = settings.CHOICES
    if "charge_ids" not in body.properties:
        stray = [name for name in body.properties if name.startswith("charge_ids")]
        if stray:
            raise invalid({stray[0]: ["Write charge_ids[] once for each charge."]})
        return None
    value = body.properties["charge_ids"]
    if value in (None, "", [""]):
        if choices.empty_charge_ids == "as_omitted":
            return None
        raise invalid({"charge_ids": ["This field may not be empty."]})
    if isinstance(value, dict) and choices.loose_integers == "accept":
        value = list(value.values())
    if not isinstance(value, list):
        raise invalid({"charge_ids": ["Enter a list of values."]})
    if len(value) > _MOST_IDS:
        raise invalid({"charge_ids": [f"Ensure this list has at most {_MOST_IDS} items."]})
    read = [_charge_id(one, body, place) for place, one in enumerate(value)]
    if len(set(read)) < len(read) and choices.duplicate_charge_ids == "refuse":
        raise invalid({"charge_ids": ["The same charge stands there twice."]})
    return list(dict.fromkeys(read)) or None


def _charge_id(value: object, body: Body, place: int) -> int:
    """One id, as Django's IntegerField reads it, save where a choice says otherwise."""
    choices = settings.CHOICES
    whole = isinstance(value, int) and not isinstance(value, bool)
    digits = isinstance(value, str) and value.isascii() and value.isdigit()
    try:
        if digits and not body.is_form and choices.numeric_strings == "refuse":
            raise ValidationError("Enter a whole number.")
        if not whole and not digits and choices.loose_integers != NATIVE:
            if choices.loose_integers == "refuse":
                raise ValidationError("Enter a whole number.")
            value = int(value) if isinstance(value, bool) else value
        return int(forms.IntegerField(min_value=1, max_value=2**63 - 1).clean(value))
    except ValidationError as error:
        raise invalid({f"charge_ids.{place}": list(error.messages)}) from error


class _Text(forms.CharField):  # type: ignore[misc]  # Django brings no types
    """A text that the database can hold; Django's own field would also take a number for one."""

    def to_python(self, value: object) -> str:
        """The text."""
        if value is not None and not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        if value and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValidationError("Surrogates are not allowed.")
        return str(super().to_python(value))


class AdjustmentForm(forms.Form):  # type: ignore[misc]
    """What a quick adjustment needs."""

    description = _Text(max_length=255)

    def __init__(self, body: Body, currency: str) -> None:
        super().__init__({name: body.properties.get(name) for name in ("amount", "description")})
        least = None if settings.CHOICES.credits == "accept" else Decimal(0)
        self.fields["amount"] = forms.DecimalField(max_digits=11, decimal_places=PLACES[currency], min_value=least)


def known_properties(body: Body, known: set[str]) -> None:
    """Refuse a body with properties that an operation does not know, where that was chosen."""
    strange = sorted(set(body.properties) - known - {"api_token"})
    if strange and settings.CHOICES.extra_properties == "refuse":
        raise invalid({name: ["This field is not known."] for name in strange})
