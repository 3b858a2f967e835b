"""The Django application, and what its database holds to begin with."""

from __future__ import annotations

from decimal import Decimal

from django.apps import AppConfig
from django.conf import settings
from django.utils import timezone

from tests.mutants.frameworks import parties


class BillingConfig(AppConfig):  # type: ignore[misc]  # Django brings no types
    """The billing application."""

    name = "tests.mutants.frameworks.django_server"

    def fill(self) -> None:
        """Put the merchants, their tokens and the chosen number of records into an empty database."""
        for merchant in parties.merchants(settings.CHOICES):
            kept = self.get_model("Merchant").objects.create(
                pk=merchant.id,
                provider=merchant.provider,
                name=merchant.name,
                currency=merchant.currency,
                card=merchant.card,
            )
            for number in range(settings.CHOICES.invoices):
                self._old_invoice(kept, number)
            for number in range(settings.CHOICES.charges):
                amount = Decimal(number % 7 + 1)
                self.get_model("Charge")(merchant=kept, amount=amount, description=f"Storage {number}").save()
        for token in parties.TOKENS:
            self.get_model("Token").objects.create(
                value=token.value, provider=token.provider, merchant_id=token.merchant
            )

    def _old_invoice(self, merchant: object, number: int) -> None:
        """A draft, a finalized, and a paid one in turn, on different days."""
        then = timezone.now() - timezone.timedelta(days=number + 1, seconds=number)
        invoice = self.get_model("Invoice")(merchant=merchant, created_at=then, total=Decimal(number + 5))
        if number % 3 > 0:
            invoice.finalized_at = then
            invoice.stripe_invoice_id = f"in_old{merchant.pk}x{number}"  # type: ignore[attr-defined]
            invoice.stripe_invoice_status = "open" if number % 3 == 1 else "paid"
            invoice.paid_at = then if number % 3 == 2 else None
        invoice.save()
        charge = self.get_model("Charge")(merchant=merchant, created_at=then, amount=invoice.total)
        charge.description, charge.invoice = f"Old storage {number}", invoice
        charge.save()
