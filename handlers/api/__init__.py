"""A channel of one's own: `POST /process` and the terminal chat. A message in, the reply out."""
