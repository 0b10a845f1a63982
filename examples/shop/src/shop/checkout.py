"""From a cart to a receipt, with the goods set aside in the warehouse."""

from __future__ import annotations

import jaunt

from shop.cart import Cart
from shop.model import Receipt, Warehouse


@jaunt.magic(
    deps=["shop.cart:Cart"],
    prompt="The standard library's asyncio is all there is; do not use anyio or trio.",
)
async def reserve_stock(cart: Cart, warehouse: Warehouse) -> None:
    """Set everything in the cart aside, all of it or nothing.

    Rules:
    - There is one `Warehouse.reserve` call for each line; they all run at the same
      time, and every one of them is waited for, also when another has failed.
    - When the warehouse refuses a line, the lines it granted are released again, each
      once, and `shop.errors.OutOfStock` is raised with the SKUs that were refused.
    - When a call raises an exception, the lines that were granted are released and that
      exception is raised; of several, the one of the earliest line. It takes
      precedence over a refusal.
    - An empty cart asks the warehouse nothing.
    """
    ...


@jaunt.magic(
    deps=[
        "shop.cart:Cart",
        "shop.cart:discount_for",
        "shop.checkout:reserve_stock",
        "shop.price:Price",
        "shop.shipping:shipping_cost",
        "shop.tax:tax_by_category",
    ]
)
async def checkout(
    cart: Cart, warehouse: Warehouse, country: str, code: str | None = None
) -> Receipt:
    """Work out what the cart costs, reserve the goods and return the receipt.

    - The discount is `discount_for` of the code. It is spread over the lines in
      proportion to their values with `Price.split`, so that tax is paid on what the
      customer really pays.
    - `goods` is the subtotal without the discount, `taxes` is `tax_by_category` of the
      discounted lines, `shipping` is `shipping_cost` of `goods` and bears no tax;
      `total` is goods, all taxes and shipping together.
    - Raises `shop.errors.EmptyCart` when there is nothing in the cart. This and every
      other reason to refuse (the code, the country, the currency) is found before the
      warehouse is asked for anything.
    - The cart itself is not changed.
    """
    ...
