"""The customer's phone in a notebook: in words, and as a widget."""
