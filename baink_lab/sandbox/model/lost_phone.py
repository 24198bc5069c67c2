"""What a customer is told who has lost the phone, or has another one."""

from __future__ import annotations

import re

LOST_PHONE = (
    "I have no tool to take a phone away. The bank does that: in this lab run "
    "await lab.unenroll(), and with a real tenant it says where to do so. What waits on the lost "
    "phone then lapses, and nothing is moved. Then ask me for a transfer: where it needs your "
    "phone and none is enrolled, I give you a link to enrol one."
)
_PHONE = r"(?:(?:smart|cell|mobile) ?)?(?:phone|mobile)"
_LOST = re.compile(
    rf"\b(?:lost|lose|losing|misplaced|broke|dropped|stole|(?:can'?t|cannot|can not) find)"
    rf" (?:my|the) (?:\w+ )?{_PHONE}\b"
    rf"|\b(?:my|the) (?:\w+ )?{_PHONE} (?:(?:is|was|got|has been|has|just) )*"
    r"(?:lost|stolen|broken|gone|dead|missing|broke|died)\b"
    rf"|\b(?:have|got|bought|use) (?:a )?(?:new|different|another) (?:\w+ )?{_PHONE}\b",
    re.IGNORECASE,
)


def tells_of_lost_phone(text: str) -> bool:
    """Whether a message says that the phone is lost, or that there is another one."""
    return bool(_LOST.search(text.replace("\u2019", "'")))
