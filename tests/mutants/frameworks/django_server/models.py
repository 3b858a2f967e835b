"""The tables: merchants, tokens, invoices and charges."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


def _random_id() -> int:
    return secrets.randbelow(2**53 - 1) + 1


class _Numbered(models.Model):  # type: ignore[misc]  # Django brings no types
    """A record whose id counts up and is never used again, or is a random one, as was chosen."""

    pk: Any

    class Meta:
        """No table of its own."""

        abstract = True

    def save(self, **options: object) -> None:
        """Store it, under a random id where that was chosen."""
        if self.pk is None and settings.CHOICES.ids == "random":
            self.pk = _random_id()
            options["force_insert"] = True
        super().save(**options)


class Merchant(models.Model):  # type: ignore[misc]
    """A merchant, of one provider."""

    provider = models.BigIntegerField()
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    card = models.CharField(max_length=100)


class Token(models.Model):  # type: ignore[misc]
    """What a caller shows; without a merchant it is the provider's."""

    value = models.CharField(max_length=100, unique=True)
    provider = models.BigIntegerField()
    merchant = models.ForeignKey(Merchant, null=True, on_delete=models.CASCADE)


class Invoice(_Numbered):
    """An invoice; it is paid from `paid_at` on, which shows when Stripe has reported it."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)
    finalized_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    total = models.DecimalField(max_digits=20, decimal_places=3)
    description = models.TextField(null=True)
    stripe_invoice_id = models.CharField(max_length=100, null=True)
    stripe_invoice_status = models.CharField(max_length=20, null=True)

    class Meta:
        """The order that lists have unless they say otherwise."""

        ordering = ("-created_at", "-id")


class Charge(_Numbered):
    """A charge, on at most one invoice."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)
    amount = models.DecimalField(max_digits=14, decimal_places=3)
    category = models.CharField(max_length=50, default="Adjustment")
    description = models.CharField(max_length=255)
    invoice = models.ForeignKey(Invoice, null=True, related_name="charges", on_delete=models.PROTECT)

    class Meta:
        """The order that lists have unless they say otherwise."""

        ordering = ("-created_at", "-id")
