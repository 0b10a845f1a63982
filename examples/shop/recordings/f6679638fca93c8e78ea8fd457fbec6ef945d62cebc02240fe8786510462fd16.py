# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.cart
# jaunt:context=sha256:f6679638fca93c8e78ea8fd457fbec6ef945d62cebc02240fe8786510462fd16
# jaunt:source=sha256:924f06efd4b5cb58e372d02bfc9b351258653c89c6e346a50a368731dd8598f9
# jaunt:generated_module=shop.__generated__.cart
# jaunt:expected_names=["Cart","discount_for"]
# jaunt:spec_sources={"shop.cart:Cart":"6355d1c9314b7fa8","shop.cart:discount_for":"c40df2a78c42e1a4"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"shop.price:Price":"dcc63f56f9787d9e"}
# jaunt:dependency_generated_modules={"shop.price":"6c8a8dafde24626b"}

"""The shopping cart and the discounts on it."""

from __future__ import annotations

from decimal import Decimal

from shop.__generated__.price import Price
from shop.errors import CurrencyMismatch, UnknownCode
from shop.model import CartLine, Category, Product


class Cart:
    """What a customer wants to buy, all of it priced in one currency.

    There is one line for each SKU; lines stay in the order in which they were first
    added. Whatever a method refuses leaves the cart exactly as it was.
    """

    MAX_QUANTITY = 99

    def __init__(self, currency: str = "EUR") -> None:
        """Start with an empty cart."""
        self._nothing = Price.zero(currency)
        self._lines: dict[str, CartLine] = {}

    def add(self, product: Product, quantity: int = 1) -> None:
        """Put a number of one product into the cart.

        A product that is there already gets a larger quantity. Raises:
        - ``ValueError`` when the quantity is not positive, when the line would hold more
          than `MAX_QUANTITY`, or when a different product with the same SKU is there;
        - `shop.errors.CurrencyMismatch` when the product is priced in another currency.
        """
        if quantity <= 0:
            raise ValueError(f"a quantity must be positive: {quantity}")
        if product.price.currency != self.currency:
            raise CurrencyMismatch(
                f"{product.sku} is priced in {product.price.currency}, the cart in {self.currency}"
            )
        line = self._lines.get(product.sku)
        if line is not None:
            if line.product != product:
                raise ValueError(f"a different product with the SKU {product.sku} is in the cart")
            quantity += line.quantity
        if quantity > self.MAX_QUANTITY:
            raise ValueError(f"no more than {self.MAX_QUANTITY} of {product.sku}: {quantity}")
        self._lines[product.sku] = CartLine(product, quantity)

    def remove(self, sku: str, quantity: int | None = None) -> None:
        """Take a number of one product out again; without a number, all of it.

        A line that reaches zero is gone, and adding its product again puts it last.
        Raises ``KeyError`` when the SKU is not in the cart, ``ValueError`` when the
        quantity is not positive or is more than the cart holds.
        """
        line = self._lines[sku]
        if quantity is None:
            quantity = line.quantity
        if quantity <= 0:
            raise ValueError(f"a quantity must be positive: {quantity}")
        if quantity > line.quantity:
            raise ValueError(f"only {line.quantity} of {sku} in the cart, not {quantity}")
        if quantity == line.quantity:
            del self._lines[sku]
        else:
            self._lines[sku] = CartLine(line.product, line.quantity - quantity)

    @property
    def currency(self) -> str:
        """The currency of the cart."""
        return self._nothing.currency

    @property
    def lines(self) -> tuple[CartLine, ...]:
        """The lines as they are now; later changes do not show in it."""
        return tuple(self._lines.values())

    @property
    def subtotal(self) -> Price:
        """The net value of all lines; zero in the cart's currency when it is empty."""
        return sum((line.value for line in self.lines), start=self._nothing)

    @property
    def weight_grams(self) -> int:
        """What everything in the cart weighs together."""
        return sum(line.product.weight_grams * line.quantity for line in self.lines)

    def __len__(self) -> int:
        """How many pieces are in the cart, counting quantities."""
        return sum(line.quantity for line in self.lines)

    def __contains__(self, sku: object) -> bool:
        """Whether there is a line with this SKU."""
        return sku in self._lines


def discount_for(cart: Cart, code: str | None) -> Price:
    """What a discount code takes off the cart, as a positive price in its currency.

    Upper and lower case, and white space around a code, make no difference; no code
    takes nothing off. An unknown one raises `shop.errors.UnknownCode`.
    """
    nothing = Price.zero(cart.currency)
    match (code or "").strip().upper():
        case "":
            return nothing
        case "WELCOME10":
            return min(cart.subtotal.percent(Decimal(10)), Price(20_00, cart.currency))
        case "BOOKWORM":
            pieces = [
                line.product.price
                for line in cart.lines
                if line.product.category is Category.BOOKS
                for _ in range(line.quantity)
            ]
            pieces.sort(reverse=True)
            return sum(pieces[2::3], start=nothing)
        case _:
            raise UnknownCode(f"unknown discount code: {code}")
