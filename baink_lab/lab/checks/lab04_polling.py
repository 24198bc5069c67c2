"""Lab 04: polite polling, tried in scenes on a practice tenant whose clock flies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from baink_lab.auth0.ciba import CIBA_GRANT
from baink_lab.lab.checks.exercises import Exercise, exercise_of, raised
from baink_lab.lab.checks.form_slips import judge_names, judge_values, judge_way
from baink_lab.lab.checks.lab04_endings import judge_ending
from baink_lab.lab.checks.lab04_pace import judge_pace
from baink_lab.lab.checks.lab04_references import start
from baink_lab.lab.checks.on_purpose import on_purpose
from baink_lab.lab.checks.result import Result, passed, slip
from baink_lab.lab.practice.tenant import EndlessLoop, Practice, Sent, practice_tenant

if TYPE_CHECKING:
    from baink_lab.lab.session import Lab

WAIT = "wait_for_answer"
PATH = "/oauth/token"
GOOD_LINE = "Move 25.00 USD from Checking to Savings"
FIELDS = ("grant_type", "auth_req_id", "client_id", "client_secret")


@dataclasses.dataclass(frozen=True)
class Scene:
    """One course of events for a polling loop.

    Attributes:
        what: the customer does.
        decision: the button that is pressed.
        after: how many seconds.
        interval: what the tenant asks for.
        meddled: whether somebody else polls too, and makes the tenant ask for more than 5 s more.
        spent: whether somebody else collects the answer.
    """

    what: str
    decision: Literal["approve", "deny"] | None
    after: float
    interval: float = 5
    meddled: bool = False
    spent: bool = False


_SCENES = (
    Scene("approves after 12 seconds", "approve", 12),
    Scene("denies after 20 seconds, of a tenant whose interval is 8", "deny", 20, interval=8),
    Scene("never answers", None, 0),
    Scene("approves after 50 seconds, of a tenant whose interval is 7, and another program polls "
          "in between", "approve", 50, interval=7, meddled=True),
    Scene("is still thinking when another program uses the request up", None, 0, spent=True),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Played:
    """What came of a scene.

    Attributes:
        polls: what was sent to the token endpoint.
        asked_again: how often the phone was asked meanwhile.
        given: the answer of exercise 2 that was handed over.
        outcome: what the function returned.
        problem: what it raised, on purpose or since it met an answer that it did not expect.
        mine: the function.
    """

    scene: Scene
    polls: list[Sent]
    asked_again: int
    given: dict[str, Any]
    begun: float
    outcome: object
    problem: Exception | None
    mine: Exercise

    @property
    def story(self) -> str:
        """What the customer did, as a sentence to begin with."""
        return f"The customer {self.scene.what}. "

    @property
    def errors(self) -> list[str]:
        """What the tenant answered, in order."""
        return [one.error for one in self.polls]


async def polite_polling(lab: Lab) -> Result:
    """The loop waits as told, goes on while nobody has answered, and takes a no for a no."""
    mine = exercise_of(lab, WAIT)
    async with practice_tenant() as practice:
        for scene in _SCENES:
            wrong = await _play(lab, practice, mine, scene)
            if wrong is not None:
                return wrong
    why = (
        "It kept to the interval, took `slow_down` to heart, went on while the customer was still "
        "thinking, and ended at the first final answer: a token, a no, the end of the time, or an "
        "error that no waiting mends. "
        "The five minutes passed on a clock that I turned."
    )
    return passed(WAIT, why)


async def _play(lab: Lab, practice: Practice, mine: Exercise, scene: Scene) -> Result | None:
    practice.begin(interval=scene.interval)
    given = await start(practice.http, practice.world, GOOD_LINE)
    practice.begin()
    begun, before = practice.clock.now(), len(lab.exchanges)
    _plan(practice, scene, given["auth_req_id"])
    outcome: object = None
    problem: Exception | None = None
    try:
        outcome = await mine(practice.http, practice.world, dict(given), practice.clock)
    except Exception as failure:
        problem = failure
    if problem is not None and not _met_an_answer(problem, mine):
        return raised(WAIT, problem, mine.written)
    wrong = judge_way(WAIT, practice, PATH, elsewhere=len(lab.exchanges) - before)
    if wrong is not None:
        return wrong
    polls = [one for one in practice.sent if one.path == PATH]
    asked_again = len(practice.errors("/bc-authorize"))
    played = Played(scene, polls, asked_again, given, begun, outcome, problem, mine)
    wrong = _judge_form(practice, played)
    if wrong is None:
        wrong = judge_pace(played)
    return judge_ending(played) if wrong is None else wrong


def _plan(practice: Practice, scene: Scene, auth_req_id: str) -> None:
    if scene.decision is not None:
        practice.answer_after(scene.after, scene.decision)
    if scene.meddled:  # twice, so that the tenant asks for more than 5 seconds more
        practice.poll_after(3, auth_req_id)
        practice.poll_after(4, auth_req_id)
    if scene.spent:
        practice.spend_after(7, auth_req_id)


def _met_an_answer(problem: Exception, mine: Exercise) -> bool:
    """Whether an exception tells of an answer of the tenant's, and not of a slip in the code."""
    if isinstance(problem, KeyError):
        return problem.args == ("access_token",)
    # What stands in is the package's own: its exceptions are meant.
    return mine.lent or isinstance(problem, EndlessLoop) or on_purpose(problem, mine.written)


def _judge_form(practice: Practice, played: Played) -> Result | None:
    """A poll that carries too little, or asks about another request than the given one."""
    world, request = practice.world, played.given["auth_req_id"]
    wanted = {
        "grant_type": (CIBA_GRANT, f"CIBA, which is {CIBA_GRANT}, to the letter"),
        "client_id": (world.client_id, "world.client_id"),
        "client_secret": (world.client_secret, "world.client_secret"),
    }
    polled = [one.form.get("auth_req_id", "") for one in played.polls]
    for one in played.polls:
        wrong = judge_names(WAIT, one.form, FIELDS)
        if wrong is not None:
            return wrong
    if request not in polled:
        told = "another auth_req_id than the argument `asked`" if polled[-1] else "no auth_req_id"
        why = f"Your form has {told}, so the tenant answers invalid_grant."
        step = 'Build the form inside the function, with "auth_req_id": asked["auth_req_id"].'
        return slip(WAIT, why, step)
    for one in played.polls:
        wrong = judge_values(WAIT, one.form, wanted)
        if wrong is not None:
            return wrong
    return None
