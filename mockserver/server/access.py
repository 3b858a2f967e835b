"""Who calls: the token of a request, the world that it names, and the merchants that it reaches."""

from __future__ import annotations

from mockserver.billing.profile import Profile
from mockserver.contract import decoding
from mockserver.core.errors import InvalidRequest, Unauthenticated, UnknownMerchant
from mockserver.core.messages import Request
from mockserver.state.store.base import Scope
from mockserver.state.worlds import COMMON

TOKEN_PARAMETER = "api_token"


def credentials(request: Request) -> tuple[str, str]:
    """The token and the name of its world (GEN-3); raises `Unauthenticated` without a token (GEN-4)."""
    token, world = split(given_token(request) or "")
    if not token:
        raise Unauthenticated(
            "Send a token, as the header Authorization: Bearer TOKEN or as the parameter api_token.", because="GEN-4"
        )
    return token, world


def given_token(request: Request) -> str | None:
    """The token as it was sent, with its world: in the header, in the query or in the body."""
    scheme, _, written = request.headers.get("authorization", "").partition(" ")
    return written.strip() if scheme.lower() == "bearer" else _parameter(request)


def split(given: str) -> tuple[str, str]:
    """`TOKEN@NAME` as the token and the name of its world; without `@` it is the common one."""
    token, _, world = given.partition("@")
    return token, world or COMMON


def narrow(merchant: int | None, reach: Scope, profile: Profile) -> Scope:
    """What the token reaches, narrowed by the merchant header (GEN-7, GEN-8)."""
    if merchant is None:
        if len(reach) > 1 and profile.merchant_header == "required":
            raise no_merchant("this token reaches several merchants", "profile:merchant_header")
        return reach
    if merchant not in reach:
        raise UnknownMerchant(
            f"X-Selected-Client-Id {merchant} is no merchant of this token.",
            because="profile:unknown_merchant_status",
            errors={"X-Selected-Client-Id": [f"X-Selected-Client-Id {merchant} is no merchant of this token"]},
        )
    return frozenset((merchant,))


def no_merchant(why: str, because: str) -> InvalidRequest:
    """The refusal of a request that lacks the merchant header; `because` names the rule or the choice."""
    return InvalidRequest(
        f"Send the header X-Selected-Client-Id: {why}.",
        because=because,
        errors={"X-Selected-Client-Id": ["X-Selected-Client-Id is required"]},
    )


def _parameter(request: Request) -> str | None:
    """The token as a request parameter."""
    try:
        for name, value in decoding.pairs(request.query_string, "the query"):
            if name == TOKEN_PARAMETER:
                return value
        fields = decoding.body_fields(request) if TOKEN_PARAMETER.encode() in request.body else None
    except InvalidRequest:
        # What can't be read holds no token; without one, GEN-4 comes before GEN-5.
        return None
    given = fields.get(TOKEN_PARAMETER) if fields else None
    return given if isinstance(given, str) else None
