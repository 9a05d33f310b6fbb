"""Attacks on the agent: what a model that obeys every injected instruction can do behind the guards,
and without them."""
