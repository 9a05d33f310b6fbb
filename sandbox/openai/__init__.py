"""A local endpoint that speaks OpenAI's chat completions: what the real one validates, and failures on request."""
