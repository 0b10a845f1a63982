"""What the shop raises when it has to refuse something."""

from __future__ import annotations

from collections.abc import Iterable


class ShopError(Exception):
    """The base of every error of the shop."""


class CurrencyMismatch(ShopError, ValueError):
    """Amounts of different currencies met in one calculation."""


class UnknownCountry(ShopError, LookupError):
    """The shop does not deliver to this country."""


class UnknownCode(ShopError, LookupError):
    """There is no such discount code."""


class EmptyCart(ShopError):
    """There is nothing in the cart to check out."""


class OutOfStock(ShopError):
    """The warehouse cannot supply some products; `skus` names them, sorted."""

    def __init__(self, skus: Iterable[str]) -> None:
        self.skus: tuple[str, ...] = tuple(sorted(skus))
        super().__init__("out of stock: " + ", ".join(self.skus))
