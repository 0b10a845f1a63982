"""Value added tax on net prices."""

from __future__ import annotations

from collections.abc import Iterable

import jaunt

from shop.model import Category
from shop.price import Price


@jaunt.magic(deps=["shop.price:Price", "shop.tax.rates:vat_rate"])
def tax_on(net: Price, country: str, category: Category) -> Price:
    """The tax on a net price, rounded to whole cents as `Price.percent` does.

    An unknown country raises `shop.errors.UnknownCountry`, a negative price
    ``ValueError``.
    """
    ...


@jaunt.magic(deps=["shop.price:Price", "shop.tax:tax_on", "shop.tax.rates:vat_rate"])
def tax_by_category(
    amounts: Iterable[tuple[Category, Price]], country: str
) -> dict[Category, Price]:
    """The tax on many net amounts, one sum for each category.

    Rules:
    - The amounts of a category are added up first and taxed together, so that each
      category is rounded once.
    - The categories come in the order in which they first appear. One whose tax is
      zero is listed too; one that does not appear is not.
    - No amounts give an empty dictionary.
    - An unknown country raises `shop.errors.UnknownCountry`, even with no amounts.
    - Amounts in more than one currency raise `shop.errors.CurrencyMismatch`, whatever
      their categories.
    """
    ...
