"""What may leave, and what goes to a person at once. Code, not the prompt, decides;
the model is told why, and tries once more."""
