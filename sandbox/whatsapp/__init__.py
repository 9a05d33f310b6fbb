"""A local WhatsApp Cloud API: Meta's Graph API, its signed webhooks, and the people who write to the numbers."""
