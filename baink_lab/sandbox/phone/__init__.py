"""The customer's phone when there is none: a JSON API and one web page, behind a secret path."""

from baink_lab.sandbox.phone.app import create_app

__all__ = ["create_app"]
