"""The labs that there are: number and name, as in the notebooks' names."""

from __future__ import annotations

LABS = {
    0: "start_here",
    1: "the_failing_transfer",
    2: "configure_the_tenant",
    3: "enroll_guardian",
    4: "ciba_on_the_wire",
    5: "build_aiya",
    6: "resume_on_approval",
}
