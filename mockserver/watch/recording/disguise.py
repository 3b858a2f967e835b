"""What a recording must not tell of real people: it is replaced, and what was the same before is the same after."""

from __future__ import annotations

import hashlib
import random
from base64 import b64encode
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from faker import Faker

WIDEST_SHIFT = 60
"""Days by which all dates are moved at most."""
WIDEST_FACTOR = 0.3
"""How much an amount is changed at most."""


class Disguise:
    """Replacements that depend on the original, and on a seed that nobody else need know."""

    def __init__(self, seed: int, *, amounts: bool = False, dates: bool = False) -> None:
        """`amounts`, `dates`: whether those are jittered as well."""
        self._seed = seed
        self._amounts = amounts
        self._faker = Faker("en_US", use_weakref=False)
        days = self._chance("dates", "").uniform(-WIDEST_SHIFT, WIDEST_SHIFT) if dates else 0
        self.shift = timedelta(days=days)
        """What is added to every date; the order stays."""

    def text(self, original: object) -> str | None:
        """A description."""
        if not isinstance(original, str) or not original:
            return None
        self._faker.seed_instance(self._chance("text", original).getrandbits(64))
        return self._faker.sentence(nb_words=4).rstrip(".")

    def company(self, number: int) -> str:
        """The name of a merchant."""
        self._faker.seed_instance(self._chance("company", str(number)).getrandbits(64))
        return self._faker.company()

    def stripe(self, original: object) -> str | None:
        """An id of Stripe's form, with the prefix of the original."""
        if not isinstance(original, str) or not original:
            return None
        prefix = original.partition("_")[0]
        kind = prefix if prefix in ("in", "ii") else "in"
        digest = hashlib.blake2b(f"{self._seed}:{original}".encode(), digest_size=18).digest()
        return f"{kind}_1{b64encode(digest, b'xY').decode()[:23]}"

    def amount(self, original: Decimal, of: int, decimals: int) -> Decimal:
        """The amount of that charge, in a currency of so many decimals."""
        if not self._amounts or not original:
            return original
        factor = Decimal(str(round(1 + self._chance("amount", str(of)).uniform(-WIDEST_FACTOR, WIDEST_FACTOR), 4)))
        unit = Decimal(1).scaleb(-decimals)
        return max((abs(original) * factor).quantize(unit, ROUND_HALF_UP), unit).copy_sign(original)

    def _chance(self, kind: str, original: str) -> random.Random:
        return random.Random(hashlib.blake2b(f"{self._seed}:{kind}:{original}".encode()).digest())
