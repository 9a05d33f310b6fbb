"""How many machines so many companies need, from measured figures; `python -m bench.capacity --help`."""
