"""The shopping cart and the discounts on it."""

from __future__ import annotations

import jaunt

from shop.model import CartLine, Product
from shop.price import Price


@jaunt.magic(deps=["shop.price:Price"])
class Cart:
    """What a customer wants to buy, all of it priced in one currency.

    There is one line for each SKU; lines stay in the order in which they were first
    added. Whatever a method refuses leaves the cart exactly as it was.
    """

    MAX_QUANTITY = 99

    def __init__(self, currency: str = "EUR") -> None:
        """Start with an empty cart."""
        ...

    def add(self, product: Product, quantity: int = 1) -> None:
        """Put a number of one product into the cart.

        A product that is there already gets a larger quantity. Raises:
        - ``ValueError`` when the quantity is not positive, when the line would hold more
          than `MAX_QUANTITY`, or when a different product with the same SKU is there;
        - `shop.errors.CurrencyMismatch` when the product is priced in another currency.
        """
        ...

    def remove(self, sku: str, quantity: int | None = None) -> None:
        """Take a number of one product out again; without a number, all of it.

        A line that reaches zero is gone, and adding its product again puts it last.
        Raises ``KeyError`` when the SKU is not in the cart, ``ValueError`` when the
        quantity is not positive or is more than the cart holds.
        """
        ...

    @property
    def currency(self) -> str:
        """The currency of the cart."""
        ...

    @property
    def lines(self) -> tuple[CartLine, ...]:
        """The lines as they are now; later changes do not show in it."""
        ...

    @property
    def subtotal(self) -> Price:
        """The net value of all lines; zero in the cart's currency when it is empty."""
        ...

    @property
    def weight_grams(self) -> int:
        """What everything in the cart weighs together."""
        ...

    def __len__(self) -> int:
        """How many pieces are in the cart, counting quantities."""
        ...

    def __contains__(self, sku: object) -> bool:
        """Whether there is a line with this SKU."""
        ...


@jaunt.magic(deps=["shop.cart:Cart", "shop.price:Price"])
def discount_for(cart: Cart, code: str | None) -> Price:
    """What a discount code takes off the cart, as a positive price in its currency.

    - ``WELCOME10``: ten percent of the subtotal, but never more than 20.00.
    - ``BOOKWORM``: with all books (`shop.model.Category.BOOKS`) in the cart ordered from
      the dearest to the cheapest, piece by piece, every third one is free.
    - No code, ``None`` or one that is empty or only white space: zero.

    Upper and lower case, and white space around a code, make no difference. Any other
    code raises `shop.errors.UnknownCode`, with the code as it was given in the message.
    """
    ...
