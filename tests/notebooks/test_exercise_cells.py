"""After a restart a learner runs the first cell and goes on: an exercise's cell needs no other."""

from __future__ import annotations

import re

import nbformat
import pytest

from baink_lab.lab import checks
from baink_lab.lab.checks.exercises import source_of
from tests.lab.conftest import shared_home  # noqa: F401 - a fixture
from tests.lab.lab_kernel import Kernel
from tests.notebooks.unattended import NOTEBOOKS

pytestmark = pytest.mark.timeout(180)

#: Where the package's own function is a method, or has no name that a cell could see.
BY_HAND = {
    "login_hint": """def login_hint(issuer, user_id):
    return json.dumps({"format": "iss_sub", "iss": issuer, "sub": user_id})""",
    "ask": """async def ask(http, world, message):
    form = {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "login_hint": f'{{"format":"iss_sub","iss":"{world.issuer}","sub":"{world.user_id}"}}',
        "scope": "openid create:transfer",
        "audience": world.audience,
        "binding_message": fit(message),
    }
    return (await http.post("bc-authorize", data=form)).json()""",
    "wait_for_answer": """async def wait_for_answer(http, world, asked, clock):
    wait = asked["interval"]
    form = {
        "grant_type": CIBA,
        "auth_req_id": asked["auth_req_id"],
        "client_id": world.client_id,
        "client_secret": world.client_secret,
    }
    while True:
        await clock.sleep(wait)
        answer = (await http.post("oauth/token", data=form)).json()
        match answer.get("error"):
            case None:
                return answer["access_token"]
            case "access_denied":
                return None
            case "slow_down":
                wait = answer["interval"]
            case "authorization_pending":
                pass
            case other:
                raise ValueError(other)""",
    "why_refused": """def why_refused(claims, wanted):
    if claims.get("iss") != wanted["iss"]:
        return "iss"
    audiences = claims.get("aud", [])
    if wanted["aud"] not in (audiences if isinstance(audiences, list) else [audiences]):
        return "aud"
    return None if wanted["scope"] in claims.get("scope", "").split() else "scope\"""",
    "registry": """def registry(tools, wrapped):
    return [wrapped if tool.name == wrapped.name else tool for tool in tools]""",
}

#: What a cell has brought in is not there for the next one.
FORGET = """for one in [one for one in globals() if one[0] != "_"]:
    if one not in {"lab", "In", "Out", "get_ipython", "exit", "quit", "open"}:
        del globals()[one]"""


def exercises(book):
    """The cells of a notebook's exercises by name, in order."""
    found = {}
    for cell in book.cells:
        if cell.cell_type == "code" and "@lab.exercise" in cell.source:
            name = re.search(r"@lab\.exercise\n(?:async )?def (\w+)\(", cell.source)[1]
            found[name] = cell.source
    return found


def filled_in(number, name, source):
    """The cell with a solution in the place of the empty function; the rest stays."""
    given = source.partition("@lab.exercise\n")[0]
    solution = BY_HAND.get(name) or source_of(name, checks.shelf_of(number).reference(name))
    named = re.compile(r"^((?:async )?def )\w+", re.MULTILINE)
    solution = named.sub(rf"\g<1>{name}", solution, count=1)
    return f"{given}@lab.exercise\n{solution[solution.index(named.search(solution)[0]) :]}"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_exercise_needs_no_cell_but_the_first_one(notebook, shared_home, tmp_path):  # noqa: F811
    number, book = int(notebook.stem[:2]), nbformat.read(notebook, 4)
    found = exercises(book)
    assert list(found) == list(checks.shelf_of(number).references)
    if not found:
        return
    opening = next(cell.source for cell in book.cells if "open_lab(" in cell.source)
    kernel = Kernel(tmp_path)
    try:
        assert kernel.run(opening) is None
        for name, source in found.items():
            assert kernel.run(FORGET) is None
            assert kernel.run(source) is None, "as it is given"
            assert kernel.texts(f"await lab.check({name!r})")[-1].startswith("⬜")
            assert kernel.run(FORGET) is None
            assert kernel.run(filled_in(number, name, source)) is None
            told = kernel.texts(f"await lab.check({name!r})")[-1]
            assert told.startswith("✅"), told
    finally:
        kernel.close()
