"""A local Telegram: the Bot API, and the people who write to the bots."""
