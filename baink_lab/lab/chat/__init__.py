"""The chat with Aiya in a notebook, and what a cell prints that waits for the phone."""
