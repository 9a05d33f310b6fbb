"""Adding and looking after channels: what the command line, the demo and development do alike. A file a messenger."""
