"""The customer's phone in a notebook: in words, as a widget, and waited for."""
