"""A vendor's numbers as money, and money as the numbers that vendors take."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from crm.base import Money, Price

MOST = 10**12
"""Whole units. What is more is a vendor's slip, and no arithmetic of ours may break on it."""


def money(amount: Decimal, currency: str) -> Money:
    """Return an amount of whole units (rubles) as money."""
    return Money(minor_units=int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP)), currency=currency)


def amount_of(value: Money) -> int | float:
    """Return the plain number of whole units that a vendor takes: rubles, not kopecks."""
    whole, rest = divmod(value.minor_units, 100)
    return value.minor_units / 100 if rest else whole


def price_of(low: Decimal | None, high: Decimal | None, currency: str | None) -> Price | None:
    """Return a price or a range; None where both are zero (a vendor's "not set"), or the currency is not known.

    An amount beyond every price is none either.
    """
    amounts = [abs(one) for one in (low, high) if one is not None]
    if currency is None or not any(amounts) or max(amounts) > MOST:
        return None
    least = money(low or Decimal(0), currency)
    return Price(low=least, high=money(high, currency)) if high and high > (low or 0) else Price(low=least)


def sum_of(prices: Sequence[Price | None]) -> Price | None:
    """Return the price of all together, a range if one of them is.

    None where one of them is not known, or where they are in different currencies.
    """
    known = [price for price in prices if price is not None]
    if not known or len(known) < len(prices) or len({price.low.currency for price in known}) > 1:
        return None
    currency = known[0].low.currency
    low = sum(price.low.minor_units for price in known)
    high = sum((price.high or price.low).minor_units for price in known)
    least = Money(minor_units=low, currency=currency)
    return Price(low=least, high=Money(minor_units=high, currency=currency)) if high > low else Price(low=least)
