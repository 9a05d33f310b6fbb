"""The web console for a company's staff, below /console: sign-in by a link, pages made on the server, no build step."""
