"""What tax, shipping and the checkout have to do."""

from __future__ import annotations

import jaunt


@jaunt.test(targets=["shop.tax.rates:known_countries", "shop.tax.rates:vat_rate"])
def test_vat_rates() -> None:
    """The rates of three countries for all categories, among them one with half a
    percent and one with zero; small letters do not matter; the known countries are
    sorted and each has a rate for each category; an unknown country is named in the
    error.
    """
    ...


@jaunt.test(targets=["shop.price:Price", "shop.tax:tax_by_category", "shop.tax:tax_on"])
def test_tax_is_rounded_once_for_each_category() -> None:
    """Choose amounts whose taxes, rounded one by one, add up to something else than the
    tax on their sum, and show that the sum decides. Check the order of categories,
    categories without tax, no amounts at all, and every error.
    """
    ...


@jaunt.test(targets=["shop.price:Price", "shop.shipping:shipping_cost"])
def test_shipping_is_free_from_the_limit_on() -> None:
    """Take the limit from the target's docstring: one cent below it the tariff applies,
    exactly at it and above it delivery costs nothing, abroad and for heavy parcels as
    well.
    """
    ...


@jaunt.test(targets=["shop.price:Price", "shop.shipping:shipping_cost"])
def test_shipping_steps() -> None:
    """The price at, just below and just above each limit of weight, inside DE and
    elsewhere, and for a kilogram only begun; then every error.
    """
    ...


@jaunt.test(
    targets=["shop.cart:Cart", "shop.checkout:checkout", "shop.price:Price"],
)
def test_a_receipt_adds_up() -> None:
    """Check out a cart with two categories and a discount that does not divide evenly,
    worth less than the limit for free shipping: compare every field of the receipt
    with values worked out by hand. A second cart, worth exactly the limit, ships free.
    The carts are unchanged.
    """
    ...


@jaunt.test(
    targets=["shop.cart:Cart", "shop.checkout:reserve_stock", "shop.price:Price"]
)
def test_reservations_are_all_or_nothing() -> None:
    """All lines are asked for at the same time: a warehouse that answers none before it
    was asked for all must not block. A refusal, a failing call and both together
    release what was granted and raise the right error; nothing is released on
    success. Run the coroutines with ``asyncio.run``.
    """
    ...


@jaunt.test(targets=["shop.cart:Cart", "shop.checkout:checkout", "shop.price:Price"])
def test_a_refused_checkout_reserves_nothing() -> None:
    """An empty cart, an unknown code, an unknown country and a cart in another currency
    raise their errors and the warehouse hears of none of them; a product that is out
    of stock raises OutOfStock. Run the coroutines with ``asyncio.run``.
    """
    ...
