"""Telegram: intake without an SDK for the gateway, dispatch and delivery on aiogram for the worker."""
