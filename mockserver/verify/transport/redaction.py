"""Secrets, and how they are kept out of everything that is shown or written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from mockserver.verify.transport.placeholders import PLACEHOLDER, filled

SHORT = 6
"""Below this length a secret is replaced only where it stands as a word, so that ordinary text survives."""


def placeholders(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The placeholders for the values of extra headers, each unlike the others."""
    return tuple(f"${name}" for name in header_variables(headers))


def header_variables(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The shell variables that stand for the values of extra headers, such as `HEADER_X_GATE`."""
    names: list[str] = []
    for header, _ in headers:
        name = "HEADER_" + "".join(letter if letter.isalnum() else "_" for letter in header.upper())
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return tuple(names)


def variables_in(text: str) -> frozenset[str]:
    """The names of the placeholders in redacted text."""
    return frozenset(found[2] or found[3] for found in PLACEHOLDER.finditer(text) if len(found[1]) % 2)


def escaped(text: str) -> str:
    """`text` of anybody else, in which nothing is a placeholder."""
    return PLACEHOLDER.sub(lambda found: found[1] + found[0], text)


class Redaction:
    """Replaces secrets by the names of the shell variables that a reader puts them into."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """`secrets` maps a variable's name, such as `TOKEN`, to its secret."""
        self._secrets = dict(secrets)
        names: dict[str, str] = {}
        for name, secret in secrets.items():
            for form in _forms(secret):
                if form:
                    names.setdefault(form, name)
        self._names = names
        forms = "|".join(map(_form_pattern, sorted(names, key=len, reverse=True))) or r"(?!)"
        self._secret = re.compile(forms)
        self._either = re.compile(rf"(?<!\$)(\$*)({forms})|{PLACEHOLDER.pattern}")

    def text(self, text: str) -> str:
        """Text that a reader or a program may fill in again by `filled`."""
        return self._either.sub(self._replaced, text)

    def hide(self, text: str) -> str:
        """Prose, which nobody fills in: the secrets are replaced, all else is left alone."""
        return self._secret.sub(lambda found: f"${self._names[found[0]]}", text)

    def filled(self, text: str) -> str:
        """The text with the secrets in the place of their names, and what only looked like one as it was."""
        return filled(text, lambda name: self._secrets.get(name, ""))

    def octets(self, octets: bytes) -> bytes:
        """Like `text`."""
        if not octets:
            return octets
        text = octets.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def _replaced(self, found: re.Match[str]) -> str:
        if found[2] is None:
            return found[3] + found[0]
        name, following = self._names[found[2]], found.string[found.end() : found.end() + 1]
        # Letters right behind it would be read as more of its name.
        joined = following == "_" or following.isalnum()
        return found[1] * 2 + (f"${{{name}}}" if joined else f"${name}")


def _forms(secret: str) -> Iterable[str]:
    """The secret, and how it stands in an address, in a form and in JSON."""
    written = json.dumps(secret)[1:-1]
    return secret, quote(secret, safe=""), quote_plus(secret), written, written.replace("/", "\\/")


def _form_pattern(form: str) -> str:
    pattern = re.escape(form)
    return pattern if len(form) >= SHORT else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
