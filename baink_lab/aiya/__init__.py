"""The bAInk's assistant: a LangGraph agent whose transfers wait for the customer's phone."""

from baink_lab.aiya.app import Aiya, AiyaBusy, open_aiya
from baink_lab.aiya.graph import build_graph
from baink_lab.aiya.model import ModelUnavailable, model_node, openai_model
from baink_lab.aiya.tools import gated_transfer, read_tools, transfer_tool

__all__ = [
    "Aiya",
    "AiyaBusy",
    "ModelUnavailable",
    "build_graph",
    "gated_transfer",
    "model_node",
    "open_aiya",
    "openai_model",
    "read_tools",
    "transfer_tool",
]
