"""Plain records that the rest of the shop passes around.

Written by hand: there is nothing here for a generator to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shop.price import Price


class Category(StrEnum):
    """Decides which rate of tax a product bears."""

    STANDARD = "standard"
    FOOD = "food"
    BOOKS = "books"


@dataclass(frozen=True)
class Product:
    """Something the shop sells. `price` is net: tax comes on top."""

    sku: str
    name: str
    price: Price
    weight_grams: int
    category: Category = Category.STANDARD

    def __post_init__(self) -> None:
        if self.price.cents < 0:
            raise ValueError(f"{self.sku}: a price cannot be negative")
        if self.weight_grams <= 0:
            raise ValueError(f"{self.sku}: a weight must be positive")


@dataclass(frozen=True)
class CartLine:
    """A product and how many of it are wanted."""

    product: Product
    quantity: int

    @property
    def value(self) -> Price:
        """The net price of the whole line."""
        return self.product.price * self.quantity


@dataclass(frozen=True)
class Receipt:
    """What a checkout comes to: `goods` is after the discount, `total` is everything."""

    lines: tuple[CartLine, ...]
    discount: Price
    goods: Price
    taxes: Mapping[Category, Price]
    shipping: Price
    total: Price


class Warehouse(Protocol):
    """Where the goods are. Every call may take its time."""

    async def reserve(self, sku: str, quantity: int) -> bool:
        """Set the goods aside; false when there are not that many."""
        ...

    async def release(self, sku: str, quantity: int) -> None:
        """Give goods back that were set aside."""
        ...
