"""Words only: texts, plurals, money and dates in the client's language."""
