"""Edges: a channel's or the HTTP world's shapes to ours and back."""
