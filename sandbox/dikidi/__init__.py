"""A local DIKIDI: the public booking page's own calls."""
