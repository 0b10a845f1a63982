# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.tax.rates
# jaunt:context=sha256:9beac7fa0176f9d02646954feadff7a666010fa0aee837e8780e0d679b5bb2bb
# jaunt:source=sha256:48c0f68170c21591385d59036fea1b51544301e5699f37bdfffe5caa580eddaf
# jaunt:generated_module=shop.__generated__.tax.rates
# jaunt:expected_names=["known_countries","vat_rate"]
# jaunt:spec_sources={"shop.tax.rates:known_countries":"a6aae9fd60121152","shop.tax.rates:vat_rate":"90a7b195fe5df483"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={}
# jaunt:dependency_generated_modules={}

"""Which rate of value added tax applies where."""

from __future__ import annotations

from decimal import Decimal

from shop.errors import UnknownCountry
from shop.model import Category


def _rates(standard: str, food: str, books: str) -> dict[Category, Decimal]:
    return {
        Category.STANDARD: Decimal(standard),
        Category.FOOD: Decimal(food),
        Category.BOOKS: Decimal(books),
    }


_RATES = {
    "AT": _rates("20", "10", "10"),
    "BE": _rates("21", "6", "6"),
    "DE": _rates("19", "7", "7"),
    "ES": _rates("21", "10", "4"),
    "FR": _rates("20", "5.5", "5.5"),
    "IE": _rates("23", "0", "0"),
    "NL": _rates("21", "9", "9"),
}


def vat_rate(country: str, category: Category) -> Decimal:
    """The rate of value added tax in percent.

    The country is a code of two letters, in capitals or not. An unknown one raises
    `shop.errors.UnknownCountry`.
    """
    rates = _RATES.get(country.upper())
    if rates is None:
        raise UnknownCountry(f"unknown country: {country}")
    return rates[category]


def known_countries() -> tuple[str, ...]:
    """The countries `vat_rate` knows, in capitals, in alphabetical order."""
    return tuple(sorted(_RATES))
