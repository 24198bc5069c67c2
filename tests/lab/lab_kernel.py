"""A real kernel for tests: runs cells, and gives what they show."""

from __future__ import annotations

import re

from jupyter_client.manager import start_new_kernel

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A real kernel; `run` gives what a cell's error output shows."""

    def __init__(self, folder):
        self._manager, self._client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def run(self, code):
        errors = []

        def hear(message):
            if message["msg_type"] == "error":
                errors.append(message["content"])

        self._client.execute_interactive(code, output_hook=hear, timeout=60)
        assert len(errors) < 2
        return errors[0] if errors else None

    def texts(self, code):
        """What a cell shows in words, its warnings included."""
        texts = []

        def hear(message):
            kind, content = message["msg_type"], message["content"]
            if kind in {"execute_result", "display_data"}:
                texts.append(content["data"]["text/plain"])
            elif kind in {"stream", "error"}:
                texts.append(content.get("text") or content["evalue"])

        self._client.execute_interactive(code, output_hook=hear, timeout=60)
        return texts

    def shown(self, code):
        return COLOUR.sub("", "\n".join(self.run(code)["traceback"]))

    def close(self):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
