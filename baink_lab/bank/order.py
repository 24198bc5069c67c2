"""A transfer as it is asked for: read from the request's JSON, held against what was approved."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from baink_lab.bank import money
from baink_lab.bank.problems import Refusal

MEMO_CHARACTERS = 140
# The one type that this bank takes. Auth0's Guardian app shows types of this prefix (contract,
# section 2.3): `properties.<name>.value` with the names amount (decimal text or number), currency,
# from_account and to_account, and memo unless it is empty.
MONEY_TRANSFER = "urn:auth0:schemas:authorization-details:v1:money-transfer"

_FIELDS = {"from_account", "to_account", "amount", "currency", "memo"}


@dataclasses.dataclass(frozen=True)
class Order:
    """One transfer that is asked for; `amount` is in minor units and more than 0."""

    from_account: str
    to_account: str
    amount: int
    currency: str
    memo: str = ""

    @property
    def digest(self) -> str:
        """The same for two orders exactly when they ask for the same."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def order_in(body: Mapping[str, Any]) -> Order:
    """Read an order from a request's JSON object.

    Raises:
        Refusal: `invalid_field`, `invalid_amount`, `invalid_memo`, `same_account` or
            `currency_mismatch`, naming what to change.
    """
    unknown = sorted(body.keys() - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise Refusal("invalid_field", f"I know the fields {known}, and no others.")
    order = Order(
        from_account=_text(body, "from_account"),
        to_account=_text(body, "to_account"),
        amount=_amount(body),
        currency=_text(body, "currency"),
        memo=_memo(body),
    )
    if order.from_account == order.to_account:
        raise Refusal("same_account", "from_account and to_account must be two accounts.")
    if order.currency not in money.CURRENCIES:
        names = " and ".join(sorted(money.CURRENCIES))
        raise Refusal("currency_mismatch", f"The bAInk deals in {names}, in capital letters.")
    return order


def check_approved(details: list[Any], order: Order) -> None:
    """Hold an order against the token's `authorization_details` (RFC 9396, section 9).

    A token without any was not approved in detail, and passes. One with any must hold exactly one
    money transfer, and it must be this one: a token approved for something else pays for nothing.

    Raises:
        Refusal: `authorization_details_mismatch`.
    """
    if not details:
        return
    transfers = [d for d in details if isinstance(d, dict) and d.get("type") == MONEY_TRANSFER]
    if len(transfers) != 1 or not _is_for(transfers[0], order):
        raise Refusal(
            "authorization_details_mismatch",
            "The token was approved for another transfer. Ask the customer to approve this one.",
        )


def _is_for(approved: dict[str, Any], order: Order) -> bool:
    properties = approved.get("properties")
    if not isinstance(properties, dict):
        return False
    said = {name: p.get("value") for name, p in properties.items() if isinstance(p, dict)}
    return (
        _is_amount(said.get("amount"), order.amount)
        and said.get("currency") == order.currency
        and said.get("from_account") == order.from_account
        and said.get("to_account") == order.to_account
        and said.get("memo", "") == order.memo  # what was not shown was not approved
    )


def _is_amount(value: Any, minor: int) -> bool:
    if isinstance(value, str):
        try:
            return money.to_minor(value) == minor
        except ValueError:
            return False
    # Compared, never converted: written out, the JSON number 1e999999999 fills a gigabyte.
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return number and value == Decimal(minor) / money.CENTS


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 64:
        raise Refusal("invalid_field", f"{name} must be text of 1 to 64 characters.")
    return value


def _amount(body: Mapping[str, Any]) -> int:
    value = body.get("amount")
    if not isinstance(value, str):
        raise Refusal(
            "invalid_amount", 'amount must be decimal text, such as "25.00", not a JSON number.'
        )
    try:
        minor = money.to_minor(value)
    except ValueError as wrong:
        raise Refusal("invalid_amount", f"amount is {wrong}.") from None
    if minor <= 0:
        raise Refusal("invalid_amount", "amount must be more than 0.00.")
    return minor


def _memo(body: Mapping[str, Any]) -> str:
    value = body.get("memo", "")
    # isprintable keeps out line breaks, control characters and lone surrogates.
    if not isinstance(value, str) or not value.isprintable() or len(value) > MEMO_CHARACTERS:
        raise Refusal(
            "invalid_memo", f"memo must be one line of at most {MEMO_CHARACTERS} characters."
        )
    return value
