"""The bAInk: a double-entry ledger, the resource server in front of it, and its client."""
