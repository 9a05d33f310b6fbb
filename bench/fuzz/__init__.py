"""Inputs that nobody should send, at every door: what is answered, what is kept of it, and what comes after."""
