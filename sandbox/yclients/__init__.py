"""A local YCLIENTS: salons as the vendor keeps them, and the API over them."""
