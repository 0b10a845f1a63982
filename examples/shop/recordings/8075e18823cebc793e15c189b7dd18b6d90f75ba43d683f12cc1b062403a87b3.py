# jaunt:recording/1
# jaunt:kind=test
# jaunt:spec_module=tests.test_cart
# jaunt:context=sha256:8075e18823cebc793e15c189b7dd18b6d90f75ba43d683f12cc1b062403a87b3
# jaunt:source=sha256:f4b6342e173a5ddf1dfa61dc073e0ffc39aecb73b12ff0e1e0ab953921d67d14
# jaunt:generated_module=tests.__generated__.test_cart
# jaunt:expected_names=["test_a_cart_merges_and_removes_lines","test_a_refused_change_leaves_the_cart_alone","test_allocation_loses_no_cent","test_amounts_survive_a_round_trip","test_discount_codes","test_prices_compute_in_one_currency_only","test_prices_read_show_and_round","test_what_is_not_an_amount_is_refused"]
# jaunt:spec_sources={"tests.test_cart:test_a_cart_merges_and_removes_lines":"88e951bf3cca7b2f","tests.test_cart:test_a_refused_change_leaves_the_cart_alone":"5ae4f7822e208a9f","tests.test_cart:test_allocation_loses_no_cent":"c37ab15ad0471f85","tests.test_cart:test_amounts_survive_a_round_trip":"1b6c039643be4a50","tests.test_cart:test_discount_codes":"d9b41c29ec3d3306","tests.test_cart:test_prices_compute_in_one_currency_only":"72aefcbda6b83ad7","tests.test_cart:test_prices_read_show_and_round":"527c30a25c3d29b2","tests.test_cart:test_what_is_not_an_amount_is_refused":"1b24b8214b69fdec"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"money:allocate":"f17a6db8c0ce47aa","money:format_amount":"34ea1c52990bec13","money:parse_amount":"fb451a6311828c3c","shop.cart:Cart":"6355d1c9314b7fa8","shop.cart:discount_for":"c40df2a78c42e1a4","shop.price:Price":"dcc63f56f9787d9e"}
# jaunt:dependency_generated_modules={}

"""What amounts, prices and the cart have to do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

import pytest

from __generated__.money import allocate, format_amount, parse_amount
from shop.__generated__.cart import Cart, discount_for
from shop.__generated__.price import Price
from shop.errors import CurrencyMismatch, UnknownCode
from shop.model import CartLine, Category, Product

MUG = Product("mug", "Mug", Price(7_99), 400)
TEA = Product("tea", "Green tea", Price(4_25), 120, Category.FOOD)
NOVEL = Product("novel", "A long novel", Price(12_50), 350, Category.BOOKS)


def test_amounts_survive_a_round_trip() -> None:
    billion = 100 * 10**9
    powers = [10**exponent for exponent in range(12)]
    assert powers[-1] == billion
    cents = {0, 1, 5, 10, 99}
    cents.update(power + step for power in powers for step in (-1, 0, 1))
    for amount in sorted(cents):
        assert parse_amount(format_amount(amount)) == amount
        assert parse_amount(format_amount(-amount)) == -amount

    for amount, text in {
        0: "0.00",
        5: "0.05",
        -5: "-0.05",
        100: "1.00",
        999_99: "999.99",
        1_000_00: "1,000.00",
        -1_234_50: "-1,234.50",
        12_345_678_90: "12,345,678.90",
    }.items():
        assert format_amount(amount) == text


def test_what_is_not_an_amount_is_refused() -> None:
    from_the_docstring = ["", "-", ".50", "1.", "1.234", "1,23", "1234,567", "1 000", "- 5"]
    of_the_same_kind = [
        " ",
        "+-1",
        "--1",
        "1-",
        "1.-5",
        ",123",
        "1,,234",
        "1,234,56",
        "1.2.3",
        "1e3",
        "1_000",
        "0x10",
        "12.50 EUR",
        "twelve",
        "nan",
    ]
    of_other_scripts = ["\u0663", "1.\u0665\u0660", "\uff11\uff12"]
    for text in [*from_the_docstring, *of_the_same_kind, *of_other_scripts]:
        with pytest.raises(ValueError, match=r"^not an amount: ") as refusal:
            parse_amount(text)
        assert str(refusal.value).endswith(repr(text))

    for text, cents in {
        " 1.50 ": 1_50,
        "\t7\n": 7_00,
        "+3.20": 3_20,
        "-3.2": -3_20,
        "0.5": 50,
        "1234": 1_234_00,
        "1234567.89": 1_234_567_89,
        "1,234.5": 1_234_50,
        "007": 7_00,
        "-0.00": 0,
    }.items():
        assert parse_amount(text) == cents


def test_allocation_loses_no_cent() -> None:
    amounts = [0, 1, 2, 7, 99, 100, 101, 12_345, 10**20 + 1]
    many_weights = [[1], [1, 1], [1, 2, 3], [0, 5, 0, 7], [3, 3, 3, 1], [10**12, 1], [1] * 13]
    for cents in [*amounts, *(-amount for amount in amounts)]:
        for weights in many_weights:
            shares = allocate(cents, weights)
            assert len(shares) == len(weights)
            assert sum(shares) == cents
            for share, weight in zip(shares, weights, strict=True):
                assert abs(share - Fraction(cents * weight, sum(weights))) < 1
                if weight == 0:
                    assert share == 0

    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(101, [1, 1, 1]) == [34, 34, 33]
    assert allocate(-101, [1, 1, 1]) == [-34, -34, -33]
    assert allocate(1, [1, 1]) == [1, 0]
    assert allocate(10, [1, 2, 4]) == [1, 3, 6]
    assert allocate(5, [0, 1, 0, 1]) == [0, 3, 0, 2]

    for weights in [[], [3, -1], [0, 0]]:
        with pytest.raises(ValueError):
            allocate(100, weights)


def test_prices_compute_in_one_currency_only() -> None:
    five, three = Price(5_00), Price(3_00)
    assert five + three == Price(8_00)
    assert three - five == Price(-2_00)
    assert three * 4 == Price(12_00)
    assert three * 0 == Price.zero()
    assert sum([five, three, three], start=Price.zero()) == Price(11_00)
    assert three < five and three <= five and three <= Price(3_00)
    assert five > three and five >= three and five >= Price(5_00)
    assert not five < three and not five <= three
    assert not five < Price(5_00) and not five > Price(5_00)
    assert max(three, five, three) is five

    dollars = Price(3_00, "USD")
    two_sided: list[Callable[[Price, Price], object]] = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ]
    for operation in two_sided:
        with pytest.raises(CurrencyMismatch):
            operation(three, dollars)
        with pytest.raises(TypeError):
            operation(three, cast(Any, 3_00))
    with pytest.raises(TypeError):
        three * cast(Any, Decimal("1.5"))

    assert three != dollars
    assert three != cast(Any, 3_00)
    assert hash(Price(3_00)) == hash(three)
    assert len({three, Price(3_00), dollars}) == 2
    for attribute in ("cents", "currency"):
        with pytest.raises(AttributeError):
            setattr(three, attribute, getattr(dollars, attribute))
    assert (three.cents, three.currency) == (3_00, "EUR")


def test_prices_read_show_and_round() -> None:
    price = Price(1_234_50)
    assert str(price) == "1,234.50 EUR"
    assert repr(price) == "Price('1,234.50 EUR')"
    for each in [price, Price(-5, "USD"), Price.zero("CHF"), Price(10**30)]:
        assert Price.parse(str(each)) == each
        assert repr(each) == f"Price({str(each)!r})"
    assert Price.parse("  7 \t EUR\n") == Price(7_00)

    for text in ["", "EUR", "12.50", "12.50EUR", "12.50 eur", "EUR 12.50", "1.2.3 EUR", "1 2 EUR"]:
        with pytest.raises(ValueError):
            Price.parse(text)
    for currency in ["", "EU", "EURO", "eur", "E R", "\u00c4UR", "EUR\n"]:
        with pytest.raises(ValueError):
            Price(1, currency)
    for cents in ["1", 1.0, Decimal(1), None, True]:
        with pytest.raises(TypeError):
            Price(cast(Any, cents))

    half = Decimal("0.5")
    assert Price(1_00).percent(half) == Price(1)
    assert Price(99).percent(half) == Price(0)
    assert Price(-1_00).percent(half) == Price(-1)
    assert Price(3_00).percent(half) == Price(2)
    assert Price(10_00, "USD").percent(Decimal(0)) == Price.zero("USD")
    assert Price(10_01).percent(Decimal(100)) == Price(10_01)
    assert Price(10**29 + 5).percent(Decimal(50)) == Price(5 * 10**28 + 3)
    for rate in ["-0.01", "100.01", "NaN", "Infinity"]:
        with pytest.raises(ValueError):
            price.percent(Decimal(rate))

    assert Price(-1_00, "USD").split([1, 1, 1]) == [
        Price(-34, "USD"),
        Price(-33, "USD"),
        Price(-33, "USD"),
    ]
    with pytest.raises(ValueError):
        price.split([])


def test_a_cart_merges_and_removes_lines() -> None:
    cart = Cart()

    def check(pieces: dict[Product, int], subtotal: Price, weight_grams: int) -> None:
        assert cart.lines == tuple(CartLine(product, n) for product, n in pieces.items())
        assert len(cart) == sum(pieces.values())
        assert [product.sku in cart for product in (MUG, TEA, NOVEL)] == [
            product in pieces for product in (MUG, TEA, NOVEL)
        ]
        assert cart.subtotal == subtotal
        assert cart.weight_grams == weight_grams

    check({}, Price.zero(), 0)
    cart.add(MUG)
    check({MUG: 1}, Price(7_99), 400)
    cart.add(TEA, 3)
    check({MUG: 1, TEA: 3}, Price(20_74), 760)
    earlier = cart.lines
    cart.add(MUG, 2)
    check({MUG: 3, TEA: 3}, Price(36_72), 1_560)
    cart.add(NOVEL)
    check({MUG: 3, TEA: 3, NOVEL: 1}, Price(49_22), 1_910)
    cart.remove("tea", 1)
    check({MUG: 3, TEA: 2, NOVEL: 1}, Price(44_97), 1_790)
    cart.remove("mug")
    check({TEA: 2, NOVEL: 1}, Price(21_00), 590)
    cart.add(MUG)
    check({TEA: 2, NOVEL: 1, MUG: 1}, Price(28_99), 990)
    cart.remove("tea", 2)
    check({NOVEL: 1, MUG: 1}, Price(20_49), 750)
    cart.remove("novel")
    cart.remove("mug", 1)
    check({}, Price.zero(), 0)
    assert earlier == (CartLine(MUG, 1), CartLine(TEA, 3))

    abroad = Cart("CHF")
    assert abroad.currency == "CHF"
    assert abroad.subtotal == Price.zero("CHF")


def test_a_refused_change_leaves_the_cart_alone() -> None:
    cart = Cart()
    cart.add(MUG, 98)
    cart.add(TEA, 2)
    before = cart.lines

    dearer_mug = Product("mug", "Mug", Price(8_99), 400)
    dollar_mug = Product("usmug", "Mug", Price(7_99, "USD"), 400)
    refusals: list[tuple[type[Exception], Callable[[], None]]] = [
        (ValueError, lambda: cart.add(NOVEL, 0)),
        (ValueError, lambda: cart.add(NOVEL, -1)),
        (ValueError, lambda: cart.add(NOVEL, 100)),
        (ValueError, lambda: cart.add(MUG, 2)),
        (ValueError, lambda: cart.add(dearer_mug)),
        (CurrencyMismatch, lambda: cart.add(dollar_mug)),
        (KeyError, lambda: cart.remove("novel")),
        (KeyError, lambda: cart.remove("novel", 1)),
        (ValueError, lambda: cart.remove("tea", 0)),
        (ValueError, lambda: cart.remove("tea", -1)),
        (ValueError, lambda: cart.remove("tea", 3)),
    ]
    for error, change in refusals:
        with pytest.raises(error):
            change()
        assert cart.lines == before

    cart.add(MUG)
    cart.add(NOVEL, Cart.MAX_QUANTITY)
    assert [line.quantity for line in cart.lines] == [99, 2, 99]


def test_discount_codes() -> None:
    def of_price(cents: int) -> Cart:
        cart = Cart()
        cart.add(Product("piece", "Piece", Price(cents), 1))
        return cart

    assert discount_for(of_price(199_90), "WELCOME10") == Price(19_99)
    assert discount_for(of_price(200_00), "WELCOME10") == Price(20_00)
    assert discount_for(of_price(200_10), "WELCOME10") == Price(20_00)
    assert discount_for(of_price(10_05), "WELCOME10") == Price(1_01)

    cart = Cart()
    cart.add(MUG, 5)
    cart.add(NOVEL, 2)
    assert discount_for(cart, "BOOKWORM") == Price.zero()
    poems = Product("poems", "Poems", Price(8_00), 200, Category.BOOKS)
    cart.add(poems)
    assert discount_for(cart, "BOOKWORM") == Price(8_00)
    atlas = Product("atlas", "Atlas", Price(40_00), 1_900, Category.BOOKS)
    cart.add(atlas, 3)
    cart.add(Product("comic", "Comic", Price(6_00), 150, Category.BOOKS))
    # Free in brackets: 40.00 40.00 (40.00) 12.50 12.50 (8.00) 6.00.
    assert discount_for(cart, "BOOKWORM") == Price(48_00)

    for code in [None, "", "   ", "\t\n"]:
        assert discount_for(cart, code) == Price.zero()
    assert discount_for(cart, "  bookWorm ") == Price(48_00)
    assert discount_for(of_price(50_00), "welcome10\n") == Price(5_00)
    assert discount_for(Cart("CHF"), "WELCOME10") == Price.zero("CHF")
    with pytest.raises(UnknownCode, match=r"Welcome11$"):
        discount_for(cart, "Welcome11")
