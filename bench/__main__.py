"""Print what this machine measures beside each budget."""

from __future__ import annotations

import asyncio
import platform

from bench import approval, notebooks, resumer, start, tenant
from bench.budget import Row, table


async def main() -> None:
    """Measure one thing after the other: side by side they would disturb each other."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    rows: list[Row] = [start.import_time(), *start.sandbox_start(), notebooks.under_nbval()]
    rows += await approval.measure()
    rows += await resumer.thousand()
    rows += await resumer.scheduling()
    rows += await tenant.measure()
    print(table(rows))


if __name__ == "__main__":
    asyncio.run(main())
