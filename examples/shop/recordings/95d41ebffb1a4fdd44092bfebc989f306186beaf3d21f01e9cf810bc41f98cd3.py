# jaunt:recording/1
# jaunt:kind=test
# jaunt:spec_module=tests.test_checkout
# jaunt:context=sha256:95d41ebffb1a4fdd44092bfebc989f306186beaf3d21f01e9cf810bc41f98cd3
# jaunt:source=sha256:3a7a6a35cc80cb88e801b90cdd06f055ad74c09e829a946eb3f603927cc75f27
# jaunt:generated_module=tests.__generated__.test_checkout
# jaunt:expected_names=["test_a_receipt_adds_up","test_a_refused_checkout_reserves_nothing","test_reservations_are_all_or_nothing","test_shipping_is_free_from_the_limit_on","test_shipping_steps","test_tax_is_rounded_once_for_each_category","test_vat_rates"]
# jaunt:spec_sources={"tests.test_checkout:test_a_receipt_adds_up":"7eac06d02ff18cc4","tests.test_checkout:test_a_refused_checkout_reserves_nothing":"e7852714ab0090fc","tests.test_checkout:test_reservations_are_all_or_nothing":"d8abd66845e6dea3","tests.test_checkout:test_shipping_is_free_from_the_limit_on":"282688502ca84047","tests.test_checkout:test_shipping_steps":"9c6b1903c2125cf6","tests.test_checkout:test_tax_is_rounded_once_for_each_category":"e3e1108d662c25da","tests.test_checkout:test_vat_rates":"933f4caba29e4b2f"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"shop.cart:Cart":"6355d1c9314b7fa8","shop.checkout:checkout":"60b52d38951b02a8","shop.checkout:reserve_stock":"20ca1f7b87fd25ac","shop.price:Price":"dcc63f56f9787d9e","shop.shipping:shipping_cost":"e25219f3dba8d2f4","shop.tax.rates:known_countries":"a6aae9fd60121152","shop.tax.rates:vat_rate":"90a7b195fe5df483","shop.tax:tax_by_category":"20cb7aa5f41abc8c","shop.tax:tax_on":"8af1e014b9b72c86"}
# jaunt:dependency_generated_modules={}

"""What tax, shipping and the checkout have to do."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from shop.__generated__.cart import Cart
from shop.__generated__.checkout import checkout, reserve_stock
from shop.__generated__.price import Price
from shop.__generated__.shipping import shipping_cost
from shop.__generated__.tax import tax_by_category, tax_on
from shop.__generated__.tax.rates import known_countries, vat_rate
from shop.errors import (
    CurrencyMismatch,
    EmptyCart,
    OutOfStock,
    UnknownCode,
    UnknownCountry,
)
from shop.model import Category, Product, Receipt

STANDARD, FOOD, BOOKS = Category.STANDARD, Category.FOOD, Category.BOOKS

FREE_FROM = Price(50_00)
CENT = Price(1)

MUG = Product("mug", "Mug", Price(7_99), 400)
TEA = Product("tea", "Green tea", Price(4_25), 120, FOOD)
NOVEL = Product("novel", "A long novel", Price(12_50), 350, BOOKS)


def cart_of(*products: tuple[Product, int]) -> Cart:
    cart = Cart()
    for product, quantity in products:
        cart.add(product, quantity)
    return cart


class StubWarehouse:
    """Grants what it is not told to refuse or to fail on, and remembers every call."""

    def __init__(
        self,
        *,
        refuse: set[str] | None = None,
        fail: dict[str, Exception] | None = None,
        wait_for: int = 0,
    ) -> None:
        self.asked: list[tuple[str, int]] = []
        self.released: list[tuple[str, int]] = []
        self._refuse = refuse or set()
        self._fail = fail or {}
        self._wait_for = wait_for
        self._all_asked = asyncio.Event()

    async def reserve(self, sku: str, quantity: int) -> bool:
        self.asked.append((sku, quantity))
        if len(self.asked) >= self._wait_for:
            self._all_asked.set()
        await self._all_asked.wait()
        if sku in self._fail:
            raise self._fail[sku]
        for _ in range(3):  # an answer takes longer than a failure
            await asyncio.sleep(0)
        return sku not in self._refuse

    async def release(self, sku: str, quantity: int) -> None:
        self.released.append((sku, quantity))


def test_vat_rates() -> None:
    expected = {
        "DE": ("19", "7", "7"),
        "ES": ("21", "10", "4"),
        "FR": ("20", "5.5", "5.5"),
        "IE": ("23", "0", "0"),
    }
    for country, rates in expected.items():
        for category, rate in zip((STANDARD, FOOD, BOOKS), rates, strict=True):
            assert vat_rate(country, category) == Decimal(rate)
            assert vat_rate(country.lower(), category) == Decimal(rate)

    assert known_countries() == ("AT", "BE", "DE", "ES", "FR", "IE", "NL")
    for country in known_countries():
        for category in Category:
            assert 0 <= vat_rate(country, category) < 30

    for country in ["US", "de ", "DEU", ""]:
        with pytest.raises(UnknownCountry) as refusal:
            vat_rate(country, STANDARD)
        assert country in str(refusal.value)


def test_tax_is_rounded_once_for_each_category() -> None:
    # 19 % of 0.13 is 2.47 cents, of twice 0.13 it is 4.94 cents.
    net = Price(13)
    assert tax_on(net, "DE", STANDARD) == Price(2)
    assert tax_by_category([(STANDARD, net), (STANDARD, net)], "DE") == {STANDARD: Price(5)}

    amounts = [(BOOKS, Price(10_00)), (STANDARD, net), (BOOKS, Price(2_00)), (STANDARD, net)]
    taxes = tax_by_category(iter(amounts), "de")
    assert list(taxes.items()) == [(BOOKS, Price(84)), (STANDARD, Price(5))]
    assert tax_by_category([(FOOD, Price(10_00))], "IE") == {FOOD: Price.zero()}
    assert tax_by_category([(FOOD, Price(1_00, "CHF"))], "AT") == {FOOD: Price(10, "CHF")}
    assert tax_by_category([], "DE") == {}

    for nothing in ([], amounts):
        with pytest.raises(UnknownCountry):
            tax_by_category(nothing, "US")
    with pytest.raises(UnknownCountry):
        tax_on(net, "US", STANDARD)
    with pytest.raises(CurrencyMismatch):
        tax_by_category([(FOOD, net), (BOOKS, Price(13, "USD"))], "DE")
    with pytest.raises(ValueError):
        tax_on(Price(-1), "DE", STANDARD)


def test_shipping_is_free_from_the_limit_on() -> None:
    assert shipping_cost(FREE_FROM - CENT, "DE", 500) == Price(4_90)
    assert shipping_cost(FREE_FROM - CENT, "FR", 500) == Price(9_90)
    assert shipping_cost(FREE_FROM - CENT, "AT", 30_000) == Price(34_90)
    for goods in [FREE_FROM, FREE_FROM + CENT, FREE_FROM * 10]:
        for country in ["DE", "FR", "at"]:
            for weight_grams in [1, 500, 30_000]:
                assert shipping_cost(goods, country, weight_grams) == Price.zero()


def test_shipping_steps() -> None:
    goods = Price(10_00)
    for weight_grams, at_home, elsewhere in [
        (1, 4_90, 9_90),
        (1_999, 4_90, 9_90),
        (2_000, 4_90, 9_90),
        (2_001, 6_90, 14_90),
        (9_999, 6_90, 14_90),
        (10_000, 6_90, 14_90),
        (10_001, 7_90, 15_90),
        (11_000, 7_90, 15_90),
        (11_001, 8_90, 16_90),
        (25_500, 22_90, 30_90),
    ]:
        assert shipping_cost(goods, "DE", weight_grams) == Price(at_home)
        assert shipping_cost(goods, "de", weight_grams) == Price(at_home)
        assert shipping_cost(goods, "NL", weight_grams) == Price(elsewhere)
    assert shipping_cost(Price.zero(), "DE", 100) == Price(4_90)

    for value in [goods, FREE_FROM]:
        with pytest.raises(UnknownCountry):
            shipping_cost(value, "US", 100)
        with pytest.raises(CurrencyMismatch):
            shipping_cost(Price(value.cents, "USD"), "DE", 100)
        for weight_grams in [0, -1]:
            with pytest.raises(ValueError):
                shipping_cost(value, "DE", weight_grams)
    with pytest.raises(ValueError):
        shipping_cost(Price(-1), "DE", 100)


def test_a_receipt_adds_up() -> None:
    cart = cart_of((MUG, 2), (NOVEL, 1))
    warehouse = StubWarehouse()
    lines = cart.lines

    receipt = asyncio.run(checkout(cart, warehouse, "DE", "welcome10"))

    # Ten percent of 28.48 is 2.85. By 15.98 to 12.50 that is 1.60 and 1.25.
    assert receipt == Receipt(
        lines=lines,
        discount=Price(2_85),
        goods=Price(25_63),
        taxes={STANDARD: Price(2_73), BOOKS: Price(79)},  # 19 % of 14.38, 7 % of 11.25
        shipping=Price(4_90),
        total=Price(34_05),
    )
    assert list(receipt.taxes) == [STANDARD, BOOKS]
    assert warehouse.asked == [("mug", 2), ("novel", 1)]
    assert warehouse.released == []
    assert cart.lines == lines

    cart = cart_of((NOVEL, 4))
    assert cart.subtotal == FREE_FROM
    receipt = asyncio.run(checkout(cart, StubWarehouse(), "DE"))
    assert receipt == Receipt(
        lines=cart.lines,
        discount=Price.zero(),
        goods=Price(50_00),
        taxes={BOOKS: Price(3_50)},
        shipping=Price.zero(),
        total=Price(53_50),
    )
    assert len(cart) == 4

    gift = Product("card", "Greeting card", Price.zero(), 10)
    receipt = asyncio.run(checkout(cart_of((gift, 1)), StubWarehouse(), "DE", "WELCOME10"))
    assert receipt.discount == Price.zero()
    assert receipt.total == Price(4_90)


def test_reservations_are_all_or_nothing() -> None:
    cart = cart_of((MUG, 2), (TEA, 3), (NOVEL, 1))
    everything = [("mug", 2), ("tea", 3), ("novel", 1)]

    def reserve(warehouse: StubWarehouse) -> None:
        async def in_time() -> None:
            await asyncio.wait_for(reserve_stock(cart, warehouse), timeout=10)

        asyncio.run(in_time())

    warehouse = StubWarehouse(wait_for=3)
    reserve(warehouse)
    assert sorted(warehouse.asked) == sorted(everything)
    assert warehouse.released == []

    warehouse = StubWarehouse(refuse={"tea", "mug"}, wait_for=3)
    with pytest.raises(OutOfStock) as out_of_stock:
        reserve(warehouse)
    assert out_of_stock.value.skus == ("mug", "tea")
    assert warehouse.released == [("novel", 1)]

    broken, lost = ConnectionError("broken"), LookupError("lost")
    warehouse = StubWarehouse(fail={"novel": lost, "tea": broken}, wait_for=3)
    with pytest.raises(ConnectionError) as earliest:
        reserve(warehouse)
    assert earliest.value is broken
    assert sorted(warehouse.asked) == sorted(everything)
    assert warehouse.released == [("mug", 2)]

    warehouse = StubWarehouse(refuse={"mug"}, fail={"novel": lost}, wait_for=3)
    with pytest.raises(LookupError) as failure:
        reserve(warehouse)
    assert failure.value is lost
    assert warehouse.released == [("tea", 3)]

    warehouse = StubWarehouse()
    asyncio.run(reserve_stock(Cart(), warehouse))
    assert warehouse.asked == []
    assert warehouse.released == []


def test_a_refused_checkout_reserves_nothing() -> None:
    cart = cart_of((MUG, 1), (TEA, 2))
    dollars = Cart("USD")
    dollars.add(Product("usmug", "Mug", Price(7_99, "USD"), 400))
    warehouse = StubWarehouse()

    with pytest.raises(EmptyCart):
        asyncio.run(checkout(Cart(), warehouse, "DE"))
    with pytest.raises(UnknownCode):
        asyncio.run(checkout(cart, warehouse, "DE", "WELCOME100"))
    with pytest.raises(UnknownCountry):
        asyncio.run(checkout(cart, warehouse, "US"))
    with pytest.raises(CurrencyMismatch):
        asyncio.run(checkout(dollars, warehouse, "DE"))
    assert warehouse.asked == []

    warehouse = StubWarehouse(refuse={"tea"})
    with pytest.raises(OutOfStock) as out_of_stock:
        asyncio.run(checkout(cart, warehouse, "DE"))
    assert out_of_stock.value.skus == ("tea",)
    assert warehouse.released == [("mug", 1)]
