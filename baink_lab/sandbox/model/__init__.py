"""The model of the sandbox: a scripted stand-in behind OpenAI's chat-completions protocol."""

from baink_lab.sandbox.model.app import create_app

__all__ = ["create_app"]
