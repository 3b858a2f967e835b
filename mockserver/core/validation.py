"""What is wrong with a value, in sentences: which field, what it must be, what was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

from mockserver.core.text import LARGEST, guess, nearest, shown

MOST = 20
"""How many fields one refusal explains: the rest would be more of the same."""

MOST_WARNINGS = 8

_NOUNS = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date-time": "a date and time such as 2026-01-31T09:30:00Z",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 09:30:00Z",
    "email": "an e-mail address",
    "uri": "an absolute URL",
    "uuid": "a UUID",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
}

Name = Callable[[Sequence[str | int]], str]
"""From the path to a value within what was judged to the name that its field goes by."""


def body_field(path: Sequence[str | int]) -> str:
    """`charge_ids.2`; `body` for the body itself. The brackets that a form writes are no part of a name."""
    return ".".join(str(step).removesuffix("[]") for step in path) or "body"


def problems(errors: Iterable[ValidationError], *, name: Name = body_field) -> dict[str, list[str]]:
    """Field to messages, in the order of the schema, of the first `MOST` fields."""
    found: dict[str, list[str]] = {}
    for error in errors:
        for field, message in _explained(error, name):
            messages = found.setdefault(field, [])
            if message not in messages:
                messages.append(message)
        if len(found) >= MOST:
            break
    return found


def summary(found: dict[str, list[str]]) -> str:
    """The first message, and how many more there are."""
    messages = [message for field in found.values() for message in field]
    more = len(messages) - 1
    return messages[0] + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")


def warnings(kind: str, unknown: Sequence[str], known: Iterable[str]) -> list[str]:
    """A sentence for each name that the spec doesn't know, with the one that was probably meant."""
    names = {_bare(name): name for name in known}
    unknown = list(dict.fromkeys(unknown))
    found = []
    for name in unknown[:MOST_WARNINGS]:
        close = nearest(_bare(name), names, cutoff=0.7)
        hint = f": did you mean {names[close]}?" if close else ", ignored"
        found.append(f"unknown {kind} {shown(name)}{hint}")
    if len(unknown) > MOST_WARNINGS:
        found.append(f"{len(unknown) - MOST_WARNINGS} more with an unknown name ({kind}), ignored")
    return found


def _bare(name: str) -> str:
    # perPage, per-page and PER_PAGE are all per_page to the eye.
    return "".join(char for char in name[:100].lower() if char.isalnum())


def _explained(error: ValidationError, name: Name) -> Iterable[tuple[str, str]]:
    kind, path = error.kind, error.instance_path
    match kind:
        case ValidationErrorKind.Required(property=missing):
            field = name([*path, missing])
            return [(field, f"{field} is required")]
        case (
            ValidationErrorKind.AdditionalProperties(unexpected=extra)
            | ValidationErrorKind.UnevaluatedProperties(unexpected=extra)
        ):
            fields = [name([*path, each]) for each in extra]
            return [(field, f"{field} is not a property that is allowed here") for field in fields]
        case ValidationErrorKind.AnyOf(context=branches) | ValidationErrorKind.OneOfNotValid(context=branches):
            return [_no_branch(error, branches, name)]
        case ValidationErrorKind.PropertyNames(error=inner):
            field = name(path)
            return [(field, f"{field} has a key that is not allowed: {_sentence('the key', inner)}")]
    field = name(path)
    return [(field, _sentence("the body" if field == "body" else field, error))]


def _no_branch(error: ValidationError, branches: list[list[ValidationError]], name: Name) -> tuple[str, str]:
    field = name(error.instance_path)
    label = "the body" if field == "body" else field
    wanted = [_of_the_value_itself(branch, error.instance_path) for branch in branches]
    if all(wanted):
        return (
            field,
            f"{label} must be {_one_of([word for words in wanted for word in words])}, got {shown(error.instance)}",
        )
    reasons = ["; ".join(message for inner in branch for _, message in _explained(inner, name)) for branch in branches]
    return field, f"{label} fits none of the allowed forms: {', or '.join(reasons)}"


def _of_the_value_itself(branch: list[ValidationError], path: Sequence[str | int]) -> list[str]:
    """What one of the allowed forms wants the value to be; empty if that can't be said in words or values."""
    if any(list(error.instance_path) != list(path) for error in branch):
        return []
    # An enumeration says more than the type that it comes with.
    told = [error for error in branch if not isinstance(error.kind, ValidationErrorKind.Type)] or branch
    return _choices(told[0].kind)


def _sentence(label: str, error: ValidationError) -> str:
    got = shown(error.instance)
    must = requirement(error)
    if isinstance(error.kind, ValidationErrorKind.Enum) and isinstance(error.instance, str):
        got += guess(error.instance, error.kind.options)
    return f"{label} must {must}, got {got}" if must else f"{label} is not allowed: {error.message}"


def requirement(error: ValidationError) -> str:
    """What follows `must`; empty for a keyword that has no sentence of its own."""
    match error.kind:
        case ValidationErrorKind.Type(types=types) if "integer" in types and _is_long_integer(error.instance):
            return f"be an integer from {-LARGEST} to {LARGEST}"
        case ValidationErrorKind.Format(format=form):
            return f"be {_FORMATS.get(form, f'in the format {form}')}"
        case ValidationErrorKind.Pattern(pattern=pattern):
            return f"match the pattern {pattern}"
        case ValidationErrorKind.UniqueItems():
            return "have no item twice"
        case ValidationErrorKind.MultipleOf(multiple_of=divisor):
            return f"be a multiple of {shown(divisor)}"
        case ValidationErrorKind.OneOfMultipleValid():
            return "fit exactly one of the allowed forms"
    choices = _choices(error.kind)
    return f"be {_one_of(choices)}" if choices else _limit(error.kind)


def _choices(kind: ValidationErrorKind) -> list[str]:
    match kind:
        case ValidationErrorKind.Type(types=types):
            return [_NOUNS.get(each, each) for each in types]
        case ValidationErrorKind.Enum(options=options):
            return [shown(option) for option in options]
        case ValidationErrorKind.Constant(expected_value=value):
            return [shown(value)]
    return []


def _is_long_integer(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 18 and value.isascii() and value.removeprefix("-").isdecimal()


def _limit(kind: ValidationErrorKind) -> str:
    match kind:
        case ValidationErrorKind.Minimum(limit=limit):
            return f"be at least {shown(limit)}"
        case ValidationErrorKind.ExclusiveMinimum(limit=limit):
            return f"be more than {shown(limit)}"
        case ValidationErrorKind.Maximum(limit=limit):
            return f"be at most {shown(limit)}"
        case ValidationErrorKind.ExclusiveMaximum(limit=limit):
            return f"be less than {shown(limit)}"
        case ValidationErrorKind.MinLength(limit=1) | ValidationErrorKind.MinItems(limit=1):
            return "not be empty"
        case ValidationErrorKind.MinLength(limit=limit):
            return f"have at least {limit} characters"
        case ValidationErrorKind.MaxLength(limit=limit):
            return f"have at most {limit} characters"
        case ValidationErrorKind.MinItems(limit=limit):
            return f"have at least {limit} items"
        case ValidationErrorKind.MaxItems(limit=limit):
            return f"have at most {limit} items"
    return ""


def _one_of(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
