"""The shell of the notebook that this runs in, if it does."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """IPython's shell; None elsewhere. Whoever is in a notebook has IPython: it is not imported."""
    ipython: Any = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
