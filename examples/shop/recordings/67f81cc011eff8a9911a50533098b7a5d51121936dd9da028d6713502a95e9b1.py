# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=money
# jaunt:context=sha256:67f81cc011eff8a9911a50533098b7a5d51121936dd9da028d6713502a95e9b1
# jaunt:source=sha256:ecd005e5b14a72730cfd899551db931ffbdd3610d7bcc37f32cb5b5b0783487b
# jaunt:generated_module=__generated__.money
# jaunt:expected_names=["allocate","format_amount","parse_amount"]
# jaunt:spec_sources={"money:allocate":"f17a6db8c0ce47aa","money:format_amount":"34ea1c52990bec13","money:parse_amount":"fb451a6311828c3c"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={}
# jaunt:dependency_generated_modules={}

"""Amounts of money as whole cents: reading them, showing them, dividing them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_AMOUNT = re.compile(
    r"(?P<sign>[+-]?)"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)"
    r"(?:\.(?P<fraction>[0-9]{1,2}))?"
)


def parse_amount(text: str) -> int:
    """Read an amount such as ``"1,234.50"`` and return it in cents.

    White space around the amount is ignored. Raises ``ValueError`` for whatever is not
    an amount.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an amount: {text!r}")
    whole = int(match["whole"].replace(",", ""))
    fraction = int((match["fraction"] or "").ljust(2, "0"))
    cents = 100 * whole + fraction
    return -cents if match["sign"] == "-" else cents


def format_amount(cents: int) -> str:
    """Show an amount of cents the way `parse_amount` reads it: ``"-1,234.50"``."""
    sign = "-" if cents < 0 else ""
    whole, fraction = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{fraction:02}"


def allocate(cents: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to weights without losing a cent.

    Shares are rounded down; the cents left over go to those that lost most by it, of
    equals to the earlier. Raises ``ValueError`` when there are no weights, when one is
    negative, or when all are zero.
    """
    if not weights:
        raise ValueError("no weights to allocate to")
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight cannot be negative")
    total = sum(weights)
    if total == 0:
        raise ValueError("the weights are all zero")
    if cents < 0:
        return [-share for share in allocate(-cents, weights)]

    shares: list[int] = []
    lost: list[int] = []
    for weight in weights:
        share, remainder = divmod(cents * weight, total)
        shares.append(share)
        lost.append(remainder)
    left_over = cents - sum(shares)
    # The sort is stable, so of equal losses the earlier share comes first. Only shares
    # that lost something can get a cent: the losses add up to `left_over * total`, and
    # each is smaller than `total`.
    by_loss = sorted(range(len(shares)), key=lambda index: -lost[index])
    for index in by_loss[:left_over]:
        shares[index] += 1
    return shares
