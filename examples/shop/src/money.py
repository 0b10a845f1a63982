"""Amounts of money as whole cents: reading them, showing them, dividing them."""

from __future__ import annotations

from collections.abc import Sequence

import jaunt


@jaunt.magic()
def parse_amount(text: str) -> int:
    """Read an amount such as ``"1,234.50"`` and return it in cents.

    Rules:
    - White space around the amount is ignored.
    - A sign, ``+`` or ``-``, may come first, with nothing between it and the digits.
    - The whole part is one digit or more, either plain (``1234``) or with a comma
      before every group of three (``1,234``, ``12,345,678``).
    - A fraction, if there is one, is a point and one or two digits:
      ``"0.5"`` is 50 cents.
    - Only the digits 0 to 9 count as digits.

    Raises ``ValueError("not an amount: ...")``, ending in the ``repr`` of the text,
    for everything else: ``""``, ``"-"``, ``".50"``, ``"1."``, ``"1.234"``,
    ``"1,23"``, ``"1234,567"``, ``"1 000"``, ``"- 5"``.
    """
    ...


@jaunt.magic()
def format_amount(cents: int) -> str:
    """Show an amount of cents the way `parse_amount` reads it.

    Always two digits after the point, at least one before it, a comma before every
    group of three, and a ``-`` in front of what is negative: ``5`` gives ``"0.05"``,
    ``-123450`` gives ``"-1,234.50"``. Reading the result gives the same cents again.
    """
    ...


@jaunt.magic()
def allocate(cents: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to weights without losing a cent.

    Returns one share for each weight, in the same order; they always add up to
    `cents`.

    Rules:
    - Every share is its exact part rounded down. The cents left over go, one each,
      to the shares that lost most by the rounding; of equals, to the earlier.
      ``allocate(100, [1, 1, 1])`` is ``[34, 33, 33]``.
    - A weight of zero gets nothing.
    - A negative amount is divided like the positive one, with the signs turned round.

    Raises ``ValueError`` when there are no weights, when one is negative, or when all
    are zero.
    """
    ...
