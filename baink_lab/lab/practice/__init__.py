"""Practice: the real tenant, bank and agent in this process, on a clock that is turned by hand."""
