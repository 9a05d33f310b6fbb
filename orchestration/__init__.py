"""Decides: turns, model loop, tools, confirmation. Knows no vendor but the one file for Gemini."""
