"""CRMs that show how one is added; nothing serves them."""
