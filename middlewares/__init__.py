"""What is put round every handler."""
