"""bAInk Lab: asynchronous authorization for AI agents, taught and shipped."""
