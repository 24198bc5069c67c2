"""The doctor: what is installed, what answers, what is configured, and what to do about it."""
