"""The addresses of the API and the views behind them."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views import View

from tests.mutants.frameworks.django_server import billing, reading, showing
from tests.mutants.frameworks.django_server.models import Charge, Invoice, Merchant
from tests.mutants.frameworks.django_server.replies import Refused, invalid
from tests.mutants.frameworks.django_server.search import condition


class _BillingView(View):  # type: ignore[misc]  # Django brings no types
    """Every operation: who sends it is asked first."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Find out the caller and the merchant, then answer."""
        self.body = reading.read_body(request)
        self.token = reading.caller(request, self.body)
        self.merchant: Merchant | None = None
        if settings.CHOICES.merchant_check == "first":
            self.merchant = reading.selected(request, self.token)
        if self.body.fault is not None:
            raise self.body.fault
        return super().dispatch(request, *args, **kwargs)

    def select(self) -> None:
        """Find out the merchant at last, where that is not done at first."""
        if settings.CHOICES.merchant_check == "last":
            self.merchant = reading.selected(self.request, self.token)

    def reach(self, records: QuerySet) -> QuerySet:
        """Those of the records that the caller reaches, for the selected merchant."""
        reached = records.filter(merchant__provider=self.token.provider)
        return reached if self.merchant is None else reached.filter(merchant=self.merchant)


class _Invoices(_BillingView):
    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = condition(request.GET.get("q", ""))
        self.select()
        found = self.reach(Invoice.objects.all()).filter(wanted)
        return JsonResponse(showing.page(request, found, showing.shown_invoice))

    def post(self, request: HttpRequest) -> HttpResponse:
        choices = settings.CHOICES
        reading.known_properties(self.body, {"charge_ids"})
        wanted = reading.charge_ids(self.body)
        self.select()
        reachable = self.reach(Charge.objects.all())
        nothing = wanted is None and not reachable.filter(invoice=None).exists()
        if nothing and choices.no_charges == "empty_draft" and self.merchant is not None:
            invoice = billing.empty_draft(reachable, self.merchant)
        else:
            invoice = billing.create(reachable, wanted)
        answer = {"message": "The invoice was created.", "invoice": showing.shown_invoice(invoice)}
        return JsonResponse(answer, status=choices.create_status)


class _Action(_BillingView):
    def find(self, pk: int) -> Invoice:
        """The invoice that an address names, if the caller reaches it."""
        choices = settings.CHOICES
        known: Invoice | None = Invoice.objects.filter(pk=pk).select_related("merchant").first()
        if known is None:
            raise Refused(404, f"There is no invoice {pk}.")
        self.select()
        if not self.reach(Invoice.objects.filter(pk=pk)).exists():
            message = f"There is no invoice {pk}." if choices.foreign_invoice_status == 404 else "It is not yours."
            raise Refused(choices.foreign_invoice_status, message)
        return known

    def answer(self, message: str, invoice: Invoice, status: int) -> HttpResponse:
        """What an action answers."""
        body: dict[str, object] = {"message": message}
        if settings.CHOICES.action_body == "message_and_invoice":
            body["invoice"] = showing.shown_invoice(invoice)
        return JsonResponse(body, status=status)


class _Finalize(_Action):
    def post(self, _: HttpRequest, pk: int) -> HttpResponse:
        invoice = billing.finalize(self.find(pk).pk)
        return self.answer("The invoice is finalized.", invoice, settings.CHOICES.finalize_status)


class _Collect(_Action):
    def post(self, _: HttpRequest, pk: int) -> HttpResponse:
        invoice = billing.collect(self.find(pk).pk)
        return self.answer("The payment was collected.", invoice, settings.CHOICES.collect_status)


class _Charges(_BillingView):
    def get(self, request: HttpRequest) -> HttpResponse:
        self.select()
        return JsonResponse(showing.page(request, self.reach(Charge.objects.all()), showing.shown_charge))


class _Charge(_BillingView):
    def get(self, _: HttpRequest, pk: int) -> HttpResponse:
        self.select()
        charge = self.reach(Charge.objects.select_related("merchant")).filter(pk=pk).first()
        if charge is None:
            raise Refused(404, f"There is no charge {pk}.")
        return JsonResponse(_with_items(charge))


class _QuickAdjustment(_BillingView):
    def post(self, _: HttpRequest) -> HttpResponse:
        reading.known_properties(self.body, {"amount", "description"})
        self.select()
        if self.merchant is None:
            raise Refused(settings.CHOICES.missing_merchant_status, "The header X-Selected-Client-Id is required.")
        form = reading.AdjustmentForm(self.body, self.merchant.currency)
        if not form.is_valid():
            raise invalid({name: [str(one) for one in errors] for name, errors in form.errors.items()})
        charge = Charge(merchant=self.merchant, **form.cleaned_data)
        charge.save()
        return JsonResponse(_with_items(charge), status=settings.CHOICES.companion_status)


def _with_items(charge: Charge) -> dict[str, object]:
    item = {"charge_id": charge.pk, "description": charge.description, "amount": float(charge.amount), "quantity": 1}
    return {"charge": showing.shown_charge(charge), "charge_items": [item]}


def _absent(_: HttpRequest, **__: object) -> HttpResponse:
    return HttpResponse(status=405, headers={"Allow": ""})


def _stripe(_: HttpRequest) -> HttpResponse:
    return JsonResponse(billing.STRIPE.ledger())


_COMPANIONS = {
    "present": [
        path("api/billing/charges", _Charges.as_view()),
        path("api/billing/charges/quick-adjustment", _QuickAdjustment.as_view()),
        path("api/billing/charges/<int:pk>", _Charge.as_view()),
    ],
    "absent_404": [],
    "absent_405": [path("api/billing/charges", _absent), path("api/billing/charges/<path:rest>", _absent)],
}

urlpatterns = [
    path("api/billing/invoices", _Invoices.as_view()),
    path("api/billing/invoices/<int:pk>/finalize", _Finalize.as_view()),
    path("api/billing/invoices/<int:pk>/collect", _Collect.as_view()),
    path("_stripe", _stripe),
    *_COMPANIONS[settings.CHOICES.companions],
]
