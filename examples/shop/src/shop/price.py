"""The value object that all sums of the shop are made of."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import jaunt


@jaunt.magic(deps=["money:allocate", "money:format_amount", "money:parse_amount"])
class Price:
    """An amount of money in one currency.

    An immutable value: `cents` and `currency` cannot be assigned, equal prices are
    interchangeable and have the same hash. Prices in different currencies are
    unequal, and so are a price and anything that is not one; neither is an error.

    Adding, subtracting and ordering (``<``, ``<=``, ``>``, ``>=``) need two prices in
    the same currency: a different currency raises `shop.errors.CurrencyMismatch`,
    anything but a price ``TypeError``.
    """

    def __init__(self, cents: int, currency: str = "EUR") -> None:
        """Make a price of whole cents, which may be negative.

        Raises ``TypeError`` when `cents` is not an ``int`` (a ``bool`` is not one here)
        and ``ValueError`` when `currency` is not three capital letters A to Z.
        """
        ...

    @classmethod
    def parse(cls, text: str) -> Price:
        """Read what ``str`` shows: an amount as `money.parse_amount` takes it, white
        space and a currency. White space around it all is ignored; anything else
        raises ``ValueError``.
        """
        ...

    @classmethod
    def zero(cls, currency: str = "EUR") -> Price:
        """Nothing, in the given currency."""
        ...

    @property
    def cents(self) -> int:
        """The amount in cents."""
        ...

    @property
    def currency(self) -> str:
        """The currency, such as ``"EUR"``."""
        ...

    def __str__(self) -> str:
        """The amount as `money.format_amount` shows it and the currency: ``"1,234.50 EUR"``."""
        ...

    def __repr__(self) -> str:
        """``Price('1,234.50 EUR')``."""
        ...

    def __eq__(self, other: object) -> bool: ...

    def __hash__(self) -> int: ...

    def __lt__(self, other: Price) -> bool: ...

    def __le__(self, other: Price) -> bool: ...

    def __gt__(self, other: Price) -> bool: ...

    def __ge__(self, other: Price) -> bool: ...

    def __add__(self, other: Price) -> Price: ...

    def __sub__(self, other: Price) -> Price: ...

    def __mul__(self, count: int) -> Price:
        """This price `count` times; anything but an ``int`` raises ``TypeError``."""
        ...

    def percent(self, rate: Decimal) -> Price:
        """So many percent of this price, rounded to whole cents, halves away from zero.

        The calculation is exact for amounts of any size. A rate below 0, above 100, or
        not finite raises ``ValueError``.
        """
        ...

    def split(self, weights: Sequence[int]) -> list[Price]:
        """Divide the price among weights as `money.allocate` does, with its errors."""
        ...
