"""A local Bitrix24 portal."""
