"""What delivery costs."""

from __future__ import annotations

import jaunt

from shop.price import Price


@jaunt.magic(deps=["shop.price:Price", "shop.tax.rates:known_countries"])
def shipping_cost(goods: Price, country: str, weight_grams: int) -> Price:
    """What it costs to send goods of this value and weight to a country.

    Rules:
    - Goods worth 50.00 EUR or more ship free, whatever they weigh.
    - For the others the tariff, in EUR, is

      ===========  =====  =========
      parcel       to DE  elsewhere
      ===========  =====  =========
      up to 2 kg   4.90   9.90
      up to 10 kg  6.90   14.90
      ===========  =====  =========

      where a weight exactly at a limit still belongs to that row. Above 10 kg every
      further kilogram, also one only begun, adds 1.00 to the price of the last row.
    - The shop delivers to the countries of `known_countries`, written in capitals or
      not. Any other raises `shop.errors.UnknownCountry`, even if the goods would ship
      free.
    - Goods priced in anything but EUR raise `shop.errors.CurrencyMismatch`.
    - Goods worth less than nothing, and a weight that is not positive, raise
      ``ValueError``.
    """
    ...
