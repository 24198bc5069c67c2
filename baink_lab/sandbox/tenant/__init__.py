"""A stand-in for an Auth0 tenant, written from the wire contract alone."""

from baink_lab.sandbox.tenant.app import create_app
from baink_lab.sandbox.tenant.errors import AlreadyDecided, TenantFileError, UnknownNotification
from baink_lab.sandbox.tenant.state import Tenant

__all__ = ["AlreadyDecided", "Tenant", "TenantFileError", "UnknownNotification", "create_app"]
