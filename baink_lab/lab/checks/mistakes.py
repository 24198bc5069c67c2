"""The hints for each known mistake, one step at a time: from where to look to what to do."""

from __future__ import annotations

from collections.abc import Mapping

_APP = "Applications > Applications > the bAInk"
_API = "Applications > APIs > bAInk transfers"

BY_MISTAKE: Mapping[str, tuple[str, ...]] = {
    "T1": (
        "Asking a phone is a *grant type* of its own. Which ones may the bAInk use?",
        f"{_APP} > Settings > Advanced Settings > Grant Types.",
        "grant_types is replaced, not merged: send the old ones and "
        "urn:openid:params:grant-type:ciba, in the cell of step 1.",
    ),
    "T2": (
        "CIBA is for clients that can keep a secret. How does the bAInk prove who it is?",
        f"{_APP} > Credentials > Authentication Methods: Client Secret (Post), not None.",
        '`await http.patch(app, json={"token_endpoint_auth_method": "client_secret_post"})`',
    ),
    "T3": (
        "The tenant must know how to reach the customer. By which channels may the bAInk ask?",
        f"{_APP} > Settings > Client-Initiated Backchannel Authentication (CIBA): the channels.",
        'async_approval_notification_channels must hold "guardian-push": the cell of step 1.',
    ),
    "T4": (
        "The phone is a second factor of the tenant. Is that factor switched on?",
        "Security > Multi-factor Auth > Push Notification using Auth0 Guardian.",
        'PUT guardian/factors/push-notification with {"enabled": true}: the cell of step 1.',
    ),
    "T5": (
        "A push needs a device to go to. Which devices has the customer?",
        "User Management > Users > the customer > Multi-Factor Authentication.",
        "Make a ticket in the cell of step 3, open its link, and press the button there.",
    ),
    "T6": (
        "The audience of a token must exist at the tenant, letter by letter.",
        "Applications > APIs: is one there whose identifier is lab.world.audience?",
        "Run the cell of step 2. An identifier cannot be changed afterwards: make a new API.",
    ),
    "T7": (
        "Compare the identifier with lab.world.audience: scheme, port, path, last character.",
        "The bank's own words: run lab 01's comparison and read the column on the right.",
        "An identifier cannot be changed: run the cell of step 2 with `world.audience`.",
    ),
    "T8": (
        "Two kinds of access tokens look nearly alike: Auth0's own, and RFC 9068's.",
        f"{_API} > Settings > Access Token Settings > JSON Web Token (JWT) Profile.",
        '`await http.patch("resource-servers/" + lab.quoted(world.audience), '
        'json={"token_dialect": "rfc9068_profile"})`',
    ),
    "T9": (
        "A scope that the API does not define is left out of the token without a word.",
        f"{_API} > Permissions > Add a Permission.",
        "Run the cell of step 3: it sends the whole list of scopes.",
    ),
    "T10": (
        "Compare letter by letter: verb, colon, noun, singular.",
        f"{_API} > Permissions: add create:transfer; the other one may stay.",
        "Write create:transfer in the cell of step 3, and run it again.",
    ),
    "T11": (
        "The API is there, but may the bAInk ask for its tokens *on behalf of a user*?",
        f"{_API} > Application Access > the bAInk > Edit > User-Delegated Access.",
        'POST client-grants with "subject_type": "user": the cell of step 4.',
    ),
    "T12": (
        "The bAInk may ask for tokens of the API. With which permissions?",
        f"{_API} > Application Access > the bAInk > Edit: tick create:transfer.",
        "The grant is there, so step 4's cell is answered 409. Change it: "
        '`await http.patch("client-grants/" + its_id, json={"scope": ["create:transfer"]})`; the '
        "check shows the id.",
    ),
    "T13": (
        "With RBAC, a token holds only what the *user* may do as well.",
        "User Management > Users > the customer > Permissions > Assign Permissions.",
        "Or switch RBAC off: the API > Settings > RBAC Settings, or "
        '`await http.patch("resource-servers/" + lab.quoted(world.audience), '
        'json={"enforce_policies": False})`',
    ),
    "T14": (
        "The tenant does not believe that we are the bAInk. What proves it?",
        f"{_APP} > Settings > Basic Information > Client Secret.",
        "Copy it to AUTH0_CLIENT_SECRET, restart the kernel, run the first cell.",
    ),
    "T15": (
        "A token names its issuer: the tenant's own domain. Which domain do we call?",
        "AUTH0_DOMAIN is the bare domain, like your-tenant.eu.auth0.com.",
        "With a custom domain: use one of the two everywhere, as tokens will name it.",
    ),
    "C1": (
        "The tenant knows users by issuer and id, in a small JSON object as text.",
        'Its members: "format", which is "iss_sub", "iss" and "sub".',
        'json.dumps({"format": "iss_sub", "iss": …, "sub": …}).',
    ),
    "C2": (
        "Compare `iss` with the issuer of the tenant's discovery document, to the last character.",
        "Auth0's issuer ends with a slash.",
        "Make sure of it: f\"{issuer.rstrip('/')}/\".",
    ),
    "C3": (
        "CIBA is built on OpenID Connect. What does every OpenID request have in its scope?",
        'The scope is "openid create:transfer", words in one text.',
    ),
    "C4": (
        "For whom is the token? Without a name it is for the tenant's own /userinfo.",
        'Lab 04: add "audience": lab.world.audience to the form. Lab 05: pass audience=audience.',
    ),
    "C5": (
        "A phone's screen is small. How long is the message, and which signs are in it?",
        "1 to 64 characters: letters, digits, space and + - _ . , : #.",
        "baink_lab.approvals.binding.fit makes any text fit: it cuts at the end, so the amount and "
        "the payee come first.",
    ),
    "C6": (
        "The tenant said how often it may be asked: `interval`, in seconds.",
        "After `slow_down` the answer holds a new, longer interval. Keep to it.",
        "Sleep before each poll, the first one too: await clock.sleep(wait).",
    ),
    "C7": (
        "authorization_pending is not a failure. Who has not answered yet?",
        "Stay in the loop: sleep, and ask again, until there is another answer.",
    ),
    "C8": (
        "access_denied is the customer's answer, or the end of the time. Both are final.",
        "Return None. Ask the phone again only if the customer wants it.",
    ),
    "C9": (
        "Which lines of your node run again when it is woken? All of them, from the first.",
        "What must not happen twice belongs in a node that is done before another one waits.",
        "request_approval: desk.ask, then Command(goto=Send(…)). transfer: interrupt, no push.",
    ),
    "C10": (
        "Who may call Command(resume=…)? Everybody who can write to the thread.",
        "What wakes a node says only: look. Do not keep interrupt()'s value, nor compare it.",
        "After interrupt(): outcome = await desk.outcome(…). None? Return None. Then its state.",
    ),
    "C11": (
        "All that a node returns, sends on or interrupts with is in the checkpoint, readable.",
        "The token goes from the vault to the bank, inside one run of one node.",
        'Return {"status": "approved", "result": receipt}, and nothing else of the outcome.',
    ),
    "C12": (
        "The answer is lost: did the money move? You cannot know, so you must ask again.",
        "The bank repeats its answer for a key that it knows. So one transfer keeps its key, and "
        "no other transfer may have it.",
        'The key is task["approval_id"]: made of thread and call, the same in every run.',
    ),
    "C13": (
        "Between push and yes the thread lies on a disk. Who says that it is still the same?",
        "The vault keeps a digest of what was asked: outcome.digest.",
        'digest_of("transfer_funds", task["arguments"]) != outcome.digest: then do nothing.',
    ),
    "C14": (
        "Read the tool's description as the model does. What does it tell the model to do first?",
        "The phone asks now. The description must say so, and forbid the question in the chat.",
        "dataclasses.replace(tool, description=prompts.TRANSFER_FUNDS)",
    ),
    "C15": (
        "The model calls a tool by its name. Which tool stands behind that name in the registry?",
        "A bare tool asks nobody and has no token to show: no push, and the bank refuses.",
        "[wrapped if tool.name == wrapped.name else tool for tool in tools]",
    ),
}
