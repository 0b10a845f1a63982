# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.shipping
# jaunt:context=sha256:ea73ac5c8d50f9b78377b72ff597c06ad32d93b62b97f090f304a50d216f5e18
# jaunt:source=sha256:bae20de0bb94480bb9987885eb9124923e3e0baaffe132a144c1b0b55d676f30
# jaunt:generated_module=shop.__generated__.shipping
# jaunt:expected_names=["shipping_cost"]
# jaunt:spec_sources={"shop.shipping:shipping_cost":"ebda983bb0bfc1b3"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"shop.price:Price":"dcc63f56f9787d9e","shop.tax.rates:known_countries":"a6aae9fd60121152"}
# jaunt:dependency_generated_modules={"shop.price":"6c8a8dafde24626b","shop.tax.rates":"48c0f68170c21591"}

"""What delivery costs."""

from __future__ import annotations

from shop.__generated__.price import Price
from shop.__generated__.tax.rates import known_countries
from shop.errors import CurrencyMismatch, UnknownCountry

_CURRENCY = "EUR"
_FREE_FROM = Price(75_00)
_HOME = "DE"

_SMALL_GRAMS = 2_000
_LARGE_GRAMS = 10_000
_EXTRA_KILOGRAM = Price(1_00)


def shipping_cost(goods: Price, country: str, weight_grams: int) -> Price:
    """What it costs to send goods of this value and weight to a country.

    Goods worth 75.00 EUR or more ship free; for the others the price depends on the
    weight and on whether the parcel stays in DE. Raises `shop.errors.UnknownCountry`
    for a country the shop does not deliver to, `shop.errors.CurrencyMismatch` for
    goods not priced in EUR, and ``ValueError`` for a negative value or a weight that is
    not positive.
    """
    destination = country.upper()
    if destination not in known_countries():
        raise UnknownCountry(f"no delivery to {country}")
    if goods.currency != _CURRENCY:
        raise CurrencyMismatch(f"the tariff is in {_CURRENCY}, the goods cost {goods}")
    if goods.cents < 0:
        raise ValueError(f"goods cannot be worth less than nothing: {goods}")
    if weight_grams <= 0:
        raise ValueError(f"a weight must be positive: {weight_grams}")

    if goods >= _FREE_FROM:
        return Price.zero(_CURRENCY)
    at_home = destination == _HOME
    if weight_grams <= _SMALL_GRAMS:
        return Price(4_90) if at_home else Price(9_90)
    large = Price(6_90) if at_home else Price(14_90)
    extra_kilograms = max(0, -(-(weight_grams - _LARGE_GRAMS) // 1_000))
    return large + _EXTRA_KILOGRAM * extra_kilograms
