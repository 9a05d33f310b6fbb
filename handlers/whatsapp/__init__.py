"""WhatsApp Cloud API: intake without an SDK for the gateway, dispatch and delivery on pywa for the worker."""
