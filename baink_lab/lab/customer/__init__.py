"""The bAInk's customer in a notebook: logs in, and sees the accounts."""
