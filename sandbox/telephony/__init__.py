"""A telephony provider with ConversationRelay, and people who call."""
