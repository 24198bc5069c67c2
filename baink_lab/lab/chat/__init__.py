"""The chat with Aiya in a notebook."""
