"""What the agent can do: tools that the model may call, and the one place through which every call goes."""
