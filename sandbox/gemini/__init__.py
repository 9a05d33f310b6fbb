"""A local Gemini API: the wire, what the real one validates, and failures on request."""
