"""Telephone calls: a provider recognises and speaks, text goes both ways over one WebSocket."""
