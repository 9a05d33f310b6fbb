"""One folder per CRM behind one port."""
