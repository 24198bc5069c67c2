"""Fixtures of test_guardian_devices.py that other tests of the tenant stand on too."""

from tests.sandbox.tenant.test_guardian_devices import (  # noqa: F401 - fixtures
    device,
    management,
    start,
    ticket,
    transaction,
)
