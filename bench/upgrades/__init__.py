"""Upgrades, measured: versions replaced one after another under load, and what a restored backup has lost."""
