"""A small web shop: prices, tax, shipping, a cart and its checkout."""
