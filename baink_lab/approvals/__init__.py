"""An agent that waits for a human's phone: durable approvals for LangGraph.

Import from here; see the README, "Use it in your own app".
"""

from baink_lab.approvals.approval import Approval, ApprovalError, State
from baink_lab.approvals.binding import code_words, fit
from baink_lab.approvals.desk import Desk
from baink_lab.approvals.memory import sqlite_store
from baink_lab.approvals.nodes import ApprovalState
from baink_lab.approvals.resumer import Resumer
from baink_lab.approvals.tool import (
    Call,
    GatedTool,
    Tool,
    ToolRefused,
    ToolUnavailable,
    with_async_authorization,
)
from baink_lab.approvals.vault import Vault, VaultError, key_from_file
from baink_lab.approvals.wiring import add_approvals, send_call

__all__ = [
    "Approval",
    "ApprovalError",
    "ApprovalState",
    "Call",
    "Desk",
    "GatedTool",
    "Resumer",
    "State",
    "Tool",
    "ToolRefused",
    "ToolUnavailable",
    "Vault",
    "VaultError",
    "add_approvals",
    "code_words",
    "fit",
    "key_from_file",
    "send_call",
    "sqlite_store",
    "with_async_authorization",
]
