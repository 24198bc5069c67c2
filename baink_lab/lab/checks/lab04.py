"""Lab 04: login_hint, the request, and polite polling, each tried on a practice tenant."""

from __future__ import annotations

from baink_lab.auth0.ciba import CibaClient, iss_sub
from baink_lab.lab.checks.exercises import Reference
from baink_lab.lab.checks.lab04_asking import ASK, good_request
from baink_lab.lab.checks.lab04_hint import HINT, good_hint
from baink_lab.lab.checks.lab04_polling import WAIT, polite_polling
from baink_lab.lab.checks.lab04_references import start, wait
from baink_lab.lab.checks.shelf import Shelf

SHELF = Shelf(
    4,
    {HINT: good_hint, ASK: good_request, WAIT: polite_polling},
    {
        HINT: (
            "The tenant knows its users by two things: who vouches for them, and their id there.",
            'A dictionary with three members: "format", "iss", "sub".',
            'return json.dumps({"format": "iss_sub", "iss": issuer, "sub": user_id})',
        ),
        ASK: (
            "The table above names each field of the form; take the values from `world`.",
            '"scope": "openid create:transfer", "audience": world.audience.',
            "login_hint(world.issuer, world.user_id) and fit(message) make the other two.",
            'answer = await http.post("bc-authorize", data=form); return answer.json()',
        ),
        WAIT: (
            "A loop: sleep, poll, look at the answer's `error`.",
            "Five answers: pending (go on), slow_down (go on, slower), access_denied, a token, and "
            "anything else (raise an exception).",
            'wait = asked["interval"]; after slow_down wait = answer["interval"].',
            'Return answer["access_token"] at the end, None at access_denied.',
        ),
    },
    {
        HINT: Reference(iss_sub),
        ASK: Reference(CibaClient.start, start),
        WAIT: Reference(CibaClient.wait, wait),
    },
)
