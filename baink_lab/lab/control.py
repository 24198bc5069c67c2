"""The sandbox's control surface, seen from a notebook."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx

from baink_lab.errors import BainkError, InOneSentence
from baink_lab.sandbox.loopback import loopback_http


class ControlError(InOneSentence, BainkError):
    """The sandbox does not do that; the sentence says why."""

    code = "control"


class Control:
    """Gives the sandbox orders that no tenant takes: see `baink_lab.sandbox.control`.

    Args:
        ready: gives the sandbox's ready line, as it is now.
    """

    def __init__(self, ready: Callable[[], dict[str, Any]]) -> None:
        self._ready = ready

    @property
    def is_there(self) -> bool:
        """False in live mode, where there is nothing to give orders to."""
        return self._ready().get("mode") != "live"

    async def order(self, path: str, **order: Any) -> dict[str, Any]:
        """Give one; returns what is true afterwards.

        Raises:
            ControlError: the sandbox refuses, or does not answer.
        """
        return await self._call("POST", path, order)

    async def end_outage(self) -> float:
        """Bring the tenant up again; returns for how many seconds more it would have been down.

        Raises:
            ControlError: the sandbox does not answer.
        """
        left = float((await self._call("GET", ""))["tenant_down"])
        if left:
            await self.order("tenant/down", seconds=0)
        return left

    async def _call(
        self, method: str, path: str, order: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        url = self._ready().get("control")
        if not url:
            raise ControlError(
                "This sandbox was started by an older version of the lab: "
                "restart it (end its process), and run the first cell again."
            )
        async with loopback_http(5.0, self._ready().get("ca")) as http:
            # httpx's errors hold the address, which is a secret.
            with contextlib.suppress(httpx.HTTPError, ValueError):
                answer = await http.request(method, f"{url}/{path}", json=order)
                told = answer.json()
                if answer.is_success:
                    return dict(told)
                raise ControlError(str(told["error"]))
        raise ControlError("The sandbox does not answer: is it running? Run the first cell again.")
