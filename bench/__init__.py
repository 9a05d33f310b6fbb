"""Programs that measure and torture the whole system. They may import anything; only tests import them."""
