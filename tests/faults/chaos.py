"""A line to the tenant that breaks in every way that lines break."""

from __future__ import annotations

import httpx

FAULTS = ("refused", "reset", "lost", "500", "503", "429", "garbage", "half", "slow")


def refused(request):
    raise httpx.ConnectError("refused", request=request)


def reset(request):
    raise httpx.ReadError("reset", request=request)


BUSY = {"error": "too_many_requests"}
BEFORE = {  # faults that keep the request from the tenant
    "refused": refused,
    "reset": reset,
    "500": lambda _: httpx.Response(500, text="oops"),
    "503": lambda _: httpx.Response(503, text="oops"),
    "429": lambda _: httpx.Response(429, json=BUSY, headers={"retry-after": "30"}),
    "garbage": lambda _: httpx.Response(200, text="<html>Welcome to the hotel Wi-Fi</html>"),
}


class ChaosTransport(httpx.AsyncBaseTransport):
    """Passes requests on, each with the next planned fault; then without any.

    Attributes:
        plan: the faults to come, from `FAULTS`; None lets a request pass.
        lost: paths of requests that the tenant served and whose answer never came.
    """

    def __init__(self, inner):
        self.inner = inner
        self.plan = []
        self.lost = []

    async def handle_async_request(self, request):
        path = request.url.path
        if path not in {"/bc-authorize", "/oauth/token"}:
            return await self.inner.handle_async_request(request)
        fault = self.plan.pop(0) if self.plan else None
        if fault in BEFORE:
            return BEFORE[fault](request)
        answer = await self.inner.handle_async_request(request)
        body = await answer.aread()
        if fault in {"lost", "half", "slow"}:
            self.lost.append((path, answer.status_code))
        if fault == "lost":
            raise httpx.ReadTimeout("no answer", request=request)
        if fault == "slow":
            raise httpx.PoolTimeout("too slow", request=request)
        if fault == "half":
            return httpx.Response(answer.status_code, content=body[: len(body) // 2])
        return httpx.Response(answer.status_code, content=body, headers=answer.headers)
