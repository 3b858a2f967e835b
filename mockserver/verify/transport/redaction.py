"""Secrets, and how they are kept out of everything that is shown or written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

SHORT = 6
"""Below this length a secret is replaced only where it stands as a word, so that ordinary text survives."""


class Redaction:
    """Replaces secrets by the names of the shell variables that a reader puts them into."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """`secrets` maps a variable's name, such as `TOKEN`, to its secret."""
        self._secrets = dict(secrets)
        longest_first = sorted(map(re.escape, secrets), key=len, reverse=True)
        self._placeholder = re.compile(rf"\$({'|'.join(longest_first) or '(?!)'})\b")
        names: dict[str, str] = {}
        for name, secret in secrets.items():
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                if form:
                    names.setdefault(form, f"${name}")
        self._names = names
        forms = sorted(names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_form_pattern, forms))) if forms else None

    def text(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._names[found.group()], text)

    def filled(self, text: str) -> str:
        """The text with the secrets in the place of their names."""
        return self._placeholder.sub(lambda found: self._secrets[found[1]], text)

    def octets(self, octets: bytes) -> bytes:
        if self._pattern is None or not octets:
            return octets
        text = octets.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")


def _form_pattern(form: str) -> str:
    pattern = re.escape(form)
    return pattern if len(form) >= SHORT else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
