"""Other people's servers, written from their documents; imports nothing of ours."""
