"""What amounts, prices and the cart have to do."""

from __future__ import annotations

import jaunt


@jaunt.test(targets=["money:format_amount", "money:parse_amount"])
def test_amounts_survive_a_round_trip() -> None:
    """Reading what was shown gives the same cents: for zero, for single cents, around
    each power of ten up to a billion cents, and for the negatives of all these. Check
    the exact text of a few, with and without commas.
    """
    ...


@jaunt.test(targets=["money:parse_amount"])
def test_what_is_not_an_amount_is_refused() -> None:
    """Every malformed example of the docstring, digits of other scripts, and a few more
    of the same kind raise ValueError with the text's repr in the message. The lenient
    spellings (white space around, a plus sign, one digit of fraction, no commas) are
    accepted.
    """
    ...


@jaunt.test(targets=["money:allocate"])
def test_allocation_loses_no_cent() -> None:
    """For many amounts and weights, negative amounts too, the shares add up, a weight of
    zero gets nothing and no share is a whole cent away from its exact part. Check ties
    and the three errors with concrete values.
    """
    ...


@jaunt.test(targets=["shop.price:Price"])
def test_prices_compute_in_one_currency_only() -> None:
    """Adding, subtracting, multiplying and ordering give the expected prices; a second
    currency raises CurrencyMismatch in each of the two-sided operations except
    equality. Equal prices have equal hashes, and the properties cannot be assigned.
    """
    ...


@jaunt.test(targets=["shop.price:Price"])
def test_prices_read_show_and_round() -> None:
    """``str``, ``repr`` and ``parse`` agree with each other; wrong texts, currencies and
    types are refused. Percentages round halves away from zero for positive and negative
    prices, and stay exact for amounts of thirty digits.
    """
    ...


@jaunt.test(targets=["shop.cart:Cart", "shop.price:Price"])
def test_a_cart_merges_and_removes_lines() -> None:
    """Drive one cart through a sequence of additions and removals and check lines, order,
    pieces, weight and subtotal after each step, the empty cart at both ends included.
    A tuple of lines taken earlier does not change.
    """
    ...


@jaunt.test(targets=["shop.cart:Cart", "shop.price:Price"])
def test_a_refused_change_leaves_the_cart_alone() -> None:
    """Each reason to refuse ``add`` and ``remove`` raises its own error, and afterwards
    the cart is what it was before. The largest quantity that is allowed is accepted.
    """
    ...


@jaunt.test(targets=["shop.cart:Cart", "shop.cart:discount_for", "shop.price:Price"])
def test_discount_codes() -> None:
    """WELCOME10 below, at and above its limit; BOOKWORM with two, three and seven books
    of different prices beside other goods; no code in all its forms; codes in odd case
    and with white space; a code that does not exist.
    """
    ...
