"""A local 1C base with the HTTP service of docs/crm-1c.md, as a 1C programmer writes it from that page."""
