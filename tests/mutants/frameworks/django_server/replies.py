"""Refusals, and how they and Django's own become JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse


class Refused(Exception):
    """A request that is turned down with a status and a message, and for invalid input with the fields."""

    def __init__(self, status: int, message: str, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


def invalid(errors: Mapping[str, Sequence[str]]) -> Refused:
    """The refusal of invalid input."""
    first = next(iter(errors.values()))[0]
    return Refused(settings.CHOICES.invalid_request_status, first, errors)


def refusals_as_json(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what Django answers in HTML by itself (404, 405, 400 …) gets the form of the other refusals."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code >= 400 and not isinstance(response, JsonResponse):
            message = {"message": HTTPStatus(response.status_code).phrase}
            kept = {name: value for name, value in response.items() if name not in ("Content-Type", "Content-Length")}
            return JsonResponse(message, status=response.status_code, headers=kept)
        return response

    def process_exception(_: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        body: dict[str, object] = {"message": str(exception)}
        if exception.errors is not None:
            body["errors"] = exception.errors
        return JsonResponse(body, status=exception.status)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # Django's way for functions
    return middleware
