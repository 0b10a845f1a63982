# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.price
# jaunt:context=sha256:df752c91d7549a23b3c85a6f0ec9dc3d2eee6b3c0d3a9de539a0fa5e131c958f
# jaunt:source=sha256:6c8a8dafde24626bf6a6384071e85877154f99650cb036f2e899880d67005dea
# jaunt:generated_module=shop.__generated__.price
# jaunt:expected_names=["Price"]
# jaunt:spec_sources={"shop.price:Price":"dcc63f56f9787d9e"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"money:allocate":"f17a6db8c0ce47aa","money:format_amount":"34ea1c52990bec13","money:parse_amount":"fb451a6311828c3c"}
# jaunt:dependency_generated_modules={"money":"ecd005e5b14a7273"}

"""The value object that all sums of the shop are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from __generated__.money import allocate, format_amount, parse_amount
from shop.errors import CurrencyMismatch

_CURRENCY = re.compile("[A-Z]{3}")


class Price:
    """An amount of money in one currency.

    An immutable value: `cents` and `currency` cannot be assigned, equal prices are
    interchangeable and have the same hash. Prices in different currencies are
    unequal, and so are a price and anything that is not one; neither is an error.

    Adding, subtracting and ordering (``<``, ``<=``, ``>``, ``>=``) need two prices in
    the same currency: a different currency raises `shop.errors.CurrencyMismatch`,
    anything but a price ``TypeError``.
    """

    __slots__ = ("_cents", "_currency")

    def __init__(self, cents: int, currency: str = "EUR") -> None:
        """Make a price of whole cents, which may be negative.

        Raises ``TypeError`` when `cents` is not an ``int`` (a ``bool`` is not one here)
        and ``ValueError`` when `currency` is not three capital letters A to Z.
        """
        if isinstance(cents, bool) or not isinstance(cents, int):
            raise TypeError(f"cents must be an int, not {type(cents).__name__}")
        if not isinstance(currency, str) or _CURRENCY.fullmatch(currency) is None:
            raise ValueError(f"not a currency: {currency!r}")
        self._cents = cents
        self._currency = currency

    @classmethod
    def parse(cls, text: str) -> Price:
        """Read what ``str`` shows, such as ``"1,234.50 EUR"``.

        White space around it is ignored; anything else raises ``ValueError``.
        """
        parts = text.rsplit(maxsplit=1)
        if len(parts) != 2:
            raise ValueError(f"not a price: {text!r}")
        amount, currency = parts
        return cls(parse_amount(amount), currency)

    @classmethod
    def zero(cls, currency: str = "EUR") -> Price:
        """Nothing, in the given currency."""
        return cls(0, currency)

    @property
    def cents(self) -> int:
        """The amount in cents."""
        return self._cents

    @property
    def currency(self) -> str:
        """The currency, such as ``"EUR"``."""
        return self._currency

    def __str__(self) -> str:
        """The amount as `money.format_amount` shows it and the currency: ``"1,234.50 EUR"``."""
        return f"{format_amount(self._cents)} {self._currency}"

    def __repr__(self) -> str:
        """``Price('1,234.50 EUR')``."""
        return f"Price({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return (self._cents, self._currency) == (other._cents, other._currency)

    def __hash__(self) -> int:
        return hash((self._cents, self._currency))

    def __lt__(self, other: Price) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return self._cents < self._cents_of(other)

    def __le__(self, other: Price) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return self._cents <= self._cents_of(other)

    def __gt__(self, other: Price) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return self._cents > self._cents_of(other)

    def __ge__(self, other: Price) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return self._cents >= self._cents_of(other)

    def __add__(self, other: Price) -> Price:
        if not isinstance(other, Price):
            return NotImplemented
        return Price(self._cents + self._cents_of(other), self._currency)

    def __sub__(self, other: Price) -> Price:
        if not isinstance(other, Price):
            return NotImplemented
        return Price(self._cents - self._cents_of(other), self._currency)

    def __mul__(self, count: int) -> Price:
        """This price `count` times; anything but an ``int`` raises ``TypeError``."""
        if isinstance(count, bool) or not isinstance(count, int):
            return NotImplemented
        return Price(self._cents * count, self._currency)

    def percent(self, rate: Decimal) -> Price:
        """So many percent of this price, rounded to whole cents, halves away from zero.

        The calculation is exact for amounts of any size. A rate below 0, above 100, or
        not finite raises ``ValueError``.
        """
        if not rate.is_finite() or not 0 <= rate <= 100:
            raise ValueError(f"not a rate between 0 and 100 percent: {rate}")
        # Integers rather than Decimal, whose context would round large amounts.
        numerator, denominator = rate.as_integer_ratio()
        denominator *= 100
        rounded = (2 * abs(self._cents) * numerator + denominator) // (2 * denominator)
        return Price(-rounded if self._cents < 0 else rounded, self._currency)

    def split(self, weights: Sequence[int]) -> list[Price]:
        """Divide the price among weights as `money.allocate` does, with its errors."""
        return [Price(share, self._currency) for share in allocate(self._cents, weights)]

    def _cents_of(self, other: Price) -> int:
        """The other's cents, provided that they are in this price's currency."""
        if other._currency != self._currency:
            raise CurrencyMismatch(f"{self} and {other} are in different currencies")
        return other._cents
