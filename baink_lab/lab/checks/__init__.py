"""Checks: what a lab looks at to say whether a step is done, and what to do when it is not."""

from baink_lab.lab.checks.result import Kind, Result, failed, not_yet, passed
from baink_lab.lab.checks.shelf import Check, find

__all__ = ["Check", "Kind", "Result", "failed", "find", "not_yet", "passed"]
