"""A local 1C:Enterprise base, as it is published on a web server."""
