"""A company's agent tried out on a stage: its own file, prompt and tools, over a local copy of its CRM, so that nothing
that happens there happens to anybody."""
