# jaunt:recording/1
# jaunt:kind=build
# jaunt:spec_module=shop.tax
# jaunt:context=sha256:ffc9ff01bd7383400cf3462566ae1e041b74db5e6ff23846c68e3986e3e75fcb
# jaunt:source=sha256:6242a7cc84f5eca4598b47f653bed66ae6e39bbd468c7fd07bb13bfe789f1e8d
# jaunt:generated_module=shop.__generated__.tax
# jaunt:expected_names=["tax_by_category","tax_on"]
# jaunt:spec_sources={"shop.tax:tax_by_category":"20cb7aa5f41abc8c","shop.tax:tax_on":"8af1e014b9b72c86"}
# jaunt:decorator_prompts={}
# jaunt:dependency_apis={"shop.price:Price":"dcc63f56f9787d9e","shop.tax.rates:vat_rate":"90a7b195fe5df483"}
# jaunt:dependency_generated_modules={"shop.price":"6c8a8dafde24626b","shop.tax.rates":"48c0f68170c21591"}

"""Value added tax on net prices."""

from __future__ import annotations

from collections.abc import Iterable

from shop.__generated__.price import Price
from shop.__generated__.tax.rates import vat_rate
from shop.errors import CurrencyMismatch
from shop.model import Category


def tax_on(net: Price, country: str, category: Category) -> Price:
    """The tax on a net price, rounded to whole cents as `Price.percent` does.

    An unknown country raises `shop.errors.UnknownCountry`, a negative price
    ``ValueError``.
    """
    rate = vat_rate(country, category)
    if net.cents < 0:
        raise ValueError(f"cannot tax a negative price: {net}")
    return net.percent(rate)


def tax_by_category(
    amounts: Iterable[tuple[Category, Price]], country: str
) -> dict[Category, Price]:
    """The tax on many net amounts, one sum for each category.

    The amounts of a category are added up first and taxed together. Categories come in
    the order in which they first appear. An unknown country raises
    `shop.errors.UnknownCountry`, more than one currency
    `shop.errors.CurrencyMismatch`.
    """
    vat_rate(country, Category.STANDARD)  # refuses an unknown country without amounts too
    sums: dict[Category, Price] = {}
    currency: str | None = None
    for category, net in amounts:
        if currency is None:
            currency = net.currency
        elif net.currency != currency:
            raise CurrencyMismatch(f"{net} among amounts in {currency}")
        sums[category] = sums[category] + net if category in sums else net
    return {category: tax_on(net, country, category) for category, net in sums.items()}
