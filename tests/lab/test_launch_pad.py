"""The launch pad names every part of the workshop, and what it links to answers."""

from __future__ import annotations

import re

import httpx

from tests.lab.lab_world import opened


async def test_every_part_is_there_and_answers(shared_home):
    async with opened(0) as lab:
        shown = lab.launch_pad()
        for part in ("Tenant", "Phone", "Bank", "Model", "CIBA", "Chat", "Progress"):
            assert f">{part}</th>" in shown.html
            assert re.search(rf"^{part}: ", shown.text, re.M)
        own = re.findall(r'href="(http://127[^"]+)"', shown.html)
        assert len(own) >= 4
        async with httpx.AsyncClient(trust_env=False) as http:
            for url in own:
                status = (await http.get(url)).status_code
                assert status in (200, 401), (url, status)  # the bank wants a token
        assert "await lab.chat()" in shown.text
        assert "lab.done()" in shown.text
