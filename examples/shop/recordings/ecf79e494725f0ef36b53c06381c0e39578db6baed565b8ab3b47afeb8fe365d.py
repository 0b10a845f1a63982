# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.checkout
# jaunt:context=sha256:ecf79e494725f0ef36b53c06381c0e39578db6baed565b8ab3b47afeb8fe365d
# jaunt:source=sha256:2159fceca7d62f294a4e5c2d2b7735c139a291defc0cb0dbc82ede3e1c25ff91
# jaunt:generated_module=shop.__generated__.checkout
# jaunt:expected_names=["checkout","reserve_stock"]
# jaunt:spec_sources={"shop.checkout:checkout":"60b52d38951b02a8","shop.checkout:reserve_stock":"20ca1f7b87fd25ac"}
# jaunt:decorator_prompts={"shop.checkout:reserve_stock":"454ff2839f9435d0"}
# jaunt:dependency_apis={"shop.cart:Cart":"6355d1c9314b7fa8","shop.cart:discount_for":"c40df2a78c42e1a4","shop.price:Price":"dcc63f56f9787d9e","shop.shipping:shipping_cost":"e25219f3dba8d2f4","shop.tax:tax_by_category":"20cb7aa5f41abc8c"}
# jaunt:dependency_generated_modules={"shop.cart":"924f06efd4b5cb58","shop.price":"6c8a8dafde24626b","shop.shipping":"907119d3fe2736ed","shop.tax":"6242a7cc84f5eca4"}

"""From a cart to a receipt, with the goods set aside in the warehouse."""

from __future__ import annotations

import asyncio

from shop.__generated__.cart import Cart, discount_for
from shop.__generated__.shipping import shipping_cost
from shop.__generated__.tax import tax_by_category
from shop.errors import EmptyCart, OutOfStock
from shop.model import CartLine, Receipt, Warehouse


async def reserve_stock(cart: Cart, warehouse: Warehouse) -> None:
    """Set everything in the cart aside, all of it or nothing.

    All lines are reserved at the same time. If one is refused or fails, those that were
    granted are released again, and the first failure or else
    `shop.errors.OutOfStock` is raised.
    """
    lines = cart.lines
    answers = await asyncio.gather(
        *(warehouse.reserve(line.product.sku, line.quantity) for line in lines),
        return_exceptions=True,
    )

    granted: list[CartLine] = []
    refused: list[str] = []
    failures: list[BaseException] = []
    for line, answer in zip(lines, answers, strict=True):
        if isinstance(answer, BaseException):
            failures.append(answer)
        elif answer:
            granted.append(line)
        else:
            refused.append(line.product.sku)
    if not failures and not refused:
        return

    await asyncio.gather(*(warehouse.release(line.product.sku, line.quantity) for line in granted))
    if failures:
        raise failures[0]
    raise OutOfStock(refused)


async def checkout(
    cart: Cart, warehouse: Warehouse, country: str, code: str | None = None
) -> Receipt:
    """Work out what the cart costs, reserve the goods and return the receipt.

    Raises `shop.errors.EmptyCart` when there is nothing in the cart. Every reason to
    refuse but a lack of stock is found before the warehouse is asked for anything.
    """
    lines = cart.lines
    if not lines:
        raise EmptyCart("there is nothing in the cart")

    discount = discount_for(cart, code)
    values = [line.value for line in lines]
    weights = [value.cents for value in values]
    # A cart of nothing but gifts has no values to spread its discount, zero, over.
    shares = discount.split(weights) if any(weights) else [discount] * len(lines)

    goods = cart.subtotal - discount
    taxes = tax_by_category(
        [
            (line.product.category, value - share)
            for line, value, share in zip(lines, values, shares, strict=True)
        ],
        country,
    )
    shipping = shipping_cost(goods, country, cart.weight_grams)
    total = sum(taxes.values(), start=goods + shipping)

    await reserve_stock(cart, warehouse)
    return Receipt(
        lines=lines,
        discount=discount,
        goods=goods,
        taxes=taxes,
        shipping=shipping,
        total=total,
    )
