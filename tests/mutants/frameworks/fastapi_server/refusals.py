"""Refusals, and the handlers that bring FastAPI's own errors into their form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from tests.mutants.frameworks.choices import Choices

_SOURCES = ("body", "query", "path", "header")


class Refused(Exception):
    """A request that is turned down with a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Invalid(Exception):
    """Input that is wrong: the messages of each field."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("The given data was invalid.")
        self.errors = errors


def invalid(error: ValidationError, *prefix: str) -> Invalid:
    """What pydantic found, by field."""
    errors: dict[str, list[str]] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(map(str, (*prefix, *one["loc"]))) or "body"
        errors.setdefault(place, []).append(one["msg"])
    return Invalid(errors)


def install(app: FastAPI, choices: Choices) -> None:
    """Let all that goes wrong be answered with `message`, and with `errors` where it is the input."""

    def answer(status: int, message: str, errors: object = None) -> JSONResponse:
        return JSONResponse({"message": message} | ({} if errors is None else {"errors": errors}), status)

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return answer(error.status, str(error))

    @app.exception_handler(Invalid)
    def wrong(_: Request, error: Invalid) -> JSONResponse:
        return answer(choices.invalid_request_status, str(error), error.errors)

    @app.exception_handler(RequestValidationError)
    def unvalidated(_: Request, error: RequestValidationError) -> JSONResponse:
        errors: dict[str, list[str]] = {}
        for one in error.errors():
            place = [str(part) for part in one["loc"] if part not in _SOURCES]
            errors.setdefault(".".join(place) or "request", []).append(one["msg"])
        return answer(choices.invalid_request_status, "The given data was invalid.", errors)

    @app.exception_handler(HTTPException)
    def other(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"message": str(error.detail)}, error.status_code, error.headers)
