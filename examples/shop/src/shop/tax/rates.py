"""Which rate of value added tax applies where."""

from __future__ import annotations

from decimal import Decimal

import jaunt

from shop.model import Category


@jaunt.magic()
def vat_rate(country: str, category: Category) -> Decimal:
    """The rate of value added tax in percent.

    =======  ========  ====  =====
    country  standard  food  books
    =======  ========  ====  =====
    AT       20        10    10
    BE       21        6     6
    DE       19        7     7
    ES       21        10    4
    FR       20        5.5   5.5
    IE       23        0     0
    NL       21        9     9
    =======  ========  ====  =====

    The country is a code of two letters, in capitals or not. Any other country raises
    `shop.errors.UnknownCountry` with the country as it was given in the message.
    """
    ...


@jaunt.magic()
def known_countries() -> tuple[str, ...]:
    """The countries `vat_rate` knows, in capitals, in alphabetical order."""
    ...
