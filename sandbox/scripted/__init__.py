"""The scripted model: a small rule-based policy that stands in for Gemini, and says so."""
