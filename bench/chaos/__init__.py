"""The chaos run: conversations go on while processes are killed and vendors fail, then everything is counted."""
