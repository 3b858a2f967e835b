"""What one word means, in YAML (1.2's core schema) and in a text: never something else than what it looks like."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import yaml

from mockserver.core.text import cut

_TAG = "tag:yaml.org,2002:"
_TEXT, _INTEGER, _FLOAT = f"{_TAG}str", f"{_TAG}int", f"{_TAG}float"
_CORE = (
    (f"{_TAG}null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    (f"{_TAG}bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_INTEGER, "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        _FLOAT,
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)
"""Tag, form and first characters of all that is no text (YAML 1.2.2, section 10.3.2)."""
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_MOST_DIGITS = 100
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")


class Unclear(ValueError):
    """A word that can't be meant as it is written, or that is read differently elsewhere."""


class Loader(yaml.CSafeLoader):
    """Resolves words by the core schema alone, so that `yes`, `1:30` and dates are the texts that they are."""


class _Dumper(yaml.SafeDumper):
    """Puts quotes around every text that YAML 1.1 or 1.2 would read as something else."""


Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in _CORE:
    for _class in (Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(rf"(?:{_form})\Z"), _first)


def scalar(loader: Loader, event: yaml.ScalarEvent) -> Any:
    """The value of one scalar; raises `Unclear`, in words that begin with the text as it stands in the document."""
    tag, text = event.tag, event.value
    if tag in (_TEXT, "!"):
        return text
    meant = loader.resolve(yaml.ScalarNode, text, event.implicit if tag is None else (True, False))  # type: ignore[no-untyped-call]
    if tag is not None and tag != meant and (tag, meant) != (_FLOAT, _INTEGER):
        raise Unclear(f"{cut(text)} is not what its tag {cut(tag.replace(_TAG, '!!'))} says: leave the tag out")
    if meant == _TEXT:
        return text
    if meant in (_INTEGER, _FLOAT):
        _check_number(text)
    value = loader.construct_object(yaml.ScalarNode(tag or meant, text))
    if isinstance(value, float) and Decimal(text) != Decimal(repr(value)):
        raise Unclear(f"{cut(text)} has more digits than a number keeps: round it, or put it in quotes as a text")
    return value


def whole_number(text: str) -> int | None:
    """The whole number that a text from a form, a header or the command line is; None if it is none, or `007`."""
    return int(text) if _WHOLE.fullmatch(text) else None


def decimal_number(text: str) -> Decimal | None:
    """The number that a text is, to the last digit; None if it is none, or `0100`, or `1_000`."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def dump(value: Any) -> str:
    """A YAML document with that value, read alike by YAML 1.1 and 1.2; mappings keep their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=100)


def _check_number(text: str) -> None:
    if _LEADING_ZERO.match(text):
        bare = re.sub(r"0+(?=[0-9])", "", text, count=1)
        raise Unclear(
            f"{cut(text)} begins with a 0, which some read as octal: "
            f'write {cut(bare)}, or "{cut(text)}" in quotes if it is a text'
        )
    if len(text) > _MOST_DIGITS:
        raise Unclear(f"{cut(text)} is longer than any number here: put it in quotes if it is a text")
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        raise Unclear(f"{text} is no number that can be used here: give a finite one, or put it in quotes as a text")
