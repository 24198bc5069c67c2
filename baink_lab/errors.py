"""The root of our exceptions: a stable code for programs, a sentence for people.

BainkError
├── SettingsError            baink_lab.settings: an environment variable is wrong
├── Auth0Error               baink_lab.auth0.errors: what a tenant answers
├── BankError                baink_lab.bank.client: what the bank answers
├── ApprovalError            baink_lab.approvals: a record or vault that cannot be used
└── SandboxError             baink_lab.sandbox.launch: the sandbox did not start
"""

from __future__ import annotations

import traceback
from types import TracebackType


class BainkError(Exception):
    """Something that a person can mend: `code` is stable, `sentence` says what and how.

    Args:
        sentence: what was wrong, where, and the next thing to do. Never holds a secret.
        code: overrides the class's own code when one class covers several wire codes.
    """

    code: str = "baink_error"

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        self.sentence = sentence
        self.code = code or type(self).code
        super().__init__(sentence)


class InOneSentence:
    """Mixed into an exception whose sentence is all that a person needs: a slip, or an outage.

    A notebook shows the sentence alone, in place of a page of frames; `%tb Verbose` shows those.
    What a learner's own code has to do with keeps its frames: they name its line.
    """

    sentence: str
    __traceback__: TracebackType | None

    def _render_traceback_(self) -> list[str]:
        """What IPython shows; it alone asks."""
        from IPython import get_ipython  # noqa: PLC0415 - notebooks only

        shell = get_ipython()
        if shell is not None and shell.InteractiveTB.mode == "Verbose":
            assert isinstance(self, BaseException)
            return traceback.format_exception(self)
        return self.sentence.splitlines()
