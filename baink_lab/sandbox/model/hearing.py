"""Which kind of thing a customer says, other than what to transfer: judged by its words."""

from __future__ import annotations

import re

from baink_lab.sandbox.model.lost_phone import tells_of_lost_phone
from baink_lab.sandbox.model.phrases import Speech, strip_prefix

_SHORT = 120  # characters of a plain yes, or of "continue transfer"
LONGEST = 1000  # characters that are read with care; more is answered, but never acted on

_POLITE = (
    r"(?:please|pls|ok(?:ay)?|yes|yeah|yep|sure|now|so|and|then|thanks|great|done|aiya|can you)"
)
_ON = r"continue|resume|proceed|carry on|go on"
_AGAIN = re.compile(
    rf"(?:\W*{_POLITE}\b){{0,4}}\W*"
    rf"(?:{_ON}|retry"
    r"|try (?:it |that |this |them |the transfers? )?(?:once )?(?:again|more)|once more"
    r"|do (?:it|that|this) (?:once )?(?:again|more)|one more time"
    r"|ask (?:me )?(?:once )?again|(?:re)?send (?:it|the push|that)(?: again)?|again"
    r"|repeat(?: it)?)"
    r"(?:\s+(?:with )?(?:the|my|that|both|all)?\s*(?:last|same)?\s*"
    r"(?:transfers?|payments?|requests?|push|it|again|them|please|now|both|all)){0,4}\W*",
    re.IGNORECASE,
)
_GO_ON = re.compile(rf"\b(?:{_ON})\b", re.IGNORECASE)
_YES = re.compile(
    r"\W*(?:y|yes|yeah|yep|yup|sure|ok(?:ay)?|confirm(?:ed)?|correct|right|do it|go ahead"
    r"|please do|absolutely|of course|affirmative|sounds good|looks good|that'?s right)"
    r"(?:\W+(?:please|do it|go ahead|thanks|thank you|i confirm|confirm|that'?s right|correct|"
    r"it is|sure|move it|send it|both|do|yes)){0,4}\W*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"\W*(?:no|nope|nah|never ?mind|cancel|stop|forget (?:it|about it|that)|don'?t|do not|wait"
    r"|abort|leave it)\b",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"\W*(?:no\W+)?(?:never ?mind|cancel|stop|forget|abort|leave it|don'?t|do not)\b", re.IGNORECASE
)
_STAND_IN = re.compile(
    r"\b(?:are|r) (?:you|u) (?:\w+ ){0,3}?(?:real|human|person|bot|robot|ai|a\.i\.|machine|llm"
    r"|gpt\S*|chatgpt|openai|claude|gemini|stand-?in|script(?:ed)?|fake|model|language model"
    r"|mock|someone|alive)\b"
    r"|\b(?:what|which)(?:'s| is| are)? (?:\w+ ){0,3}?(?:llm|ai|model|language model)\b"
    r"|\bwho (?:are|made|built|trained) (?:you|u)\b|\bwhat are you\b|\bstand-?in\b"
    r"|\b(?:is|am) (?:this|i|it) (?:\w+ ){0,4}?(?:real|human|person|bot|ai|model|gpt\S*)\b"
    r"|\btalking to (?:a |an )?(?:real|human|person|bot|ai|machine|model)\b",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"\b(?:why|what for|how come)\b.*\b(?:approv\w+|phone|push\w*|confirm\w*|permission|consent)\b",
    re.IGNORECASE | re.DOTALL,
)
_HISTORY = re.compile(
    r"\b(?:history|transactions?|activity|recent (?:payments|transfers)"
    r"|(?:last|latest|past|previous) (?:\w+ )?(?:transactions?|payments?|transfers?|entries)"
    r"|what (?:did i|have i) (?:spen[dt]|pa(?:y|id)|move|sen[dt])\w*|spending)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(r"\bstatements?\b", re.IGNORECASE)
_DISPUTE = re.compile(r"\b(?:disput(?:e|es|ed|ing)|charge ?back)\b", re.IGNORECASE)
_ELSE = re.compile(
    r"\b(?:close|delete|open|freeze|block|unblock|replace|order|apply for|change|update|reset"
    r"|raise|increase)\s+(?:\w+\s+){0,3}?"
    r"(?P<what>account|card|pin|password|address|loan|mortgage|limit|overdraft)\b",
    re.IGNORECASE,
)
_BALANCES = re.compile(
    r"\b(?:balances?|how much (?:money )?(?:do i|have i|is|are|i have|money)|how much .*\b(?:in|on)"
    r"|accounts?|what(?:'s| is| do i have) in|funds|am i (?:broke|rich)|my money"
    r"|how (?:rich|broke) am i)\b",
    re.IGNORECASE,
)
_PAYEES = re.compile(
    r"\b(?:payees?|recipients?|beneficiar(?:y|ies)|contacts|who(?:m)? can i (?:pay|send)"
    r"|who(?:m)? (?:do|can) (?:you|i) (?:know|pay|send))\b",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"\b(?:status|how (?:do|are) things|is it done|did it (?:go|work)|went through"
    r"|gone through|go through|what happened|still waiting|is it waiting|any news"
    r"|has it (?:been )?\w+"
    r"|did (?:you|i|it) (?:move|send|transfer|pay|approve)\w*"
    r"|(?:is|was|has) (?:the|my|that) (?:transfer|payment|money|push)"
    r"|why (?:did|was|has|is|does) (?:\w+ ){1,3}?(?:fail\w*|refused?|declined?|denied|rejected)"
    r"|what went wrong"
    r"|how(?:'s| is) (?:the|my) (?:transfer|payment))\b",
    re.IGNORECASE,
)
_WAITS = re.compile(
    r"\b(?:what|which \w+|anything|something|how many \w*)(?:'s|'re)?(?: \w+){0,3}? "
    r"(?:waiting|waits?|pending|outstanding)\b"
    r"|\b(?:waiting|waits?|pending) for (?:me|my)\b|\b(?:have|left|anything|what) to approve\b"
    r"|\b(?:must|should|shall|do) i (?:have to )?approve\b",
    re.IGNORECASE,
)
_HELLO = re.compile(r"\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day))\b", re.IGNORECASE)
_THANKS = re.compile(r"\b(?:thanks|thank you|thx|cheers|bye|great|perfect)\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"\W*(?:what|how|who|which|when|where|why|is|are|do|does|show|list|tell|give|get|read|see"
    r"|fetch|check|find|view|open|dispute|i (?:want|need|would like|'?d like)|can (?:i|you)"
    r"|could (?:i|you))\b",
    re.IGNORECASE,
)
_SIDE = re.compile(
    r"\W*(?:what|how|who|which|when|where|why|is|are|do|does|did|has|have|am|show|list|tell)\b",
    re.IGNORECASE,
)


def wants_again(text: str, speech: Speech) -> bool:
    """Whether the customer wants a gated call made again: "continue transfer", "once more"."""
    if len(text) <= _SHORT and _AGAIN.fullmatch(text):
        return True  # "once more" too, which sounds like a condition
    if any(clause.mood in {"negated", "conditional"} for clause in speech.clauses):
        return False
    if len(text) > _SHORT:
        return False  # whoever says more than that says something else
    parts = [speech.plain(clause.words) for clause in speech.clauses]
    return any(_AGAIN.fullmatch(part) for part in parts)


def wants_to_go_on(text: str) -> bool:
    """Whether such words are about what was held up, rather than about what has ended."""
    return bool(_GO_ON.search(text))


def agrees(text: str) -> bool:
    """Whether a message is a plain yes."""
    return len(text) <= _SHORT and bool(_YES.fullmatch(text))


def refuses(text: str) -> bool:
    """Whether a message begins with a no."""
    return bool(_NO.match(text))


def calls_off(text: str) -> bool:
    """Whether a message begins by taking back what was wanted: "never mind", "cancel"."""
    return bool(_OFF.match(text))


def asks_aside(text: str) -> bool:
    """Whether a message asks for something, rather than answering what it was asked."""
    if "?" in text or _SIDE.match(text) or asks_who(text) or tells_of_lost_phone(text):
        return True
    return _asks_for_news(text) or bool(_THANKS.search(text) or _HELLO.match(text))


def asks_anew(text: str) -> bool:
    """Whether a message that could be any answer asks for something that is known here."""
    return begins_as_request(text) and (_asks_for_news(text) or asks_who(text))


def begins_as_request(text: str) -> bool:
    """Whether a message begins as wishes and questions do: "show …", "I want …", "can you …"."""
    return bool(_REQUEST.match(text) or _REQUEST.match(strip_prefix(text)))


def asks_known(text: str) -> bool:
    """Whether a message asks for something that this model knows without more tools."""
    known = (_STAND_IN, _WHY, _HISTORY, _STATEMENT, _PAYEES, _STATUS, _WAITS, _BALANCES)
    return any(pattern.search(text) for pattern in known)


def asks_who(text: str) -> bool:
    """Whether the customer asks who or what answers here."""
    return bool(_STAND_IN.search(text))


def asks_why(text: str) -> bool:
    """Whether the customer asks why the phone has to be asked."""
    return bool(_WHY.search(text))


def asks_history(text: str) -> bool:
    """Whether the customer wants to see what happened on an account."""
    return bool(_HISTORY.search(text))


def asks_statement(text: str) -> bool:
    """Whether a message is about an account's statement."""
    return bool(_STATEMENT.search(text))


def wants_done(text: str) -> str:
    """What else at a bank a customer wants changed, in one word such as "card"; empty for none."""
    found = _ELSE.search(text)
    return found["what"].lower() if found else ""


def names_transfer(text: str) -> bool:
    """Whether a message speaks of a transfer, rather than of anything that was asked for."""
    return bool(re.search(r"\b(?:transfer|payment|money)s?\b", text, re.IGNORECASE))


def asks_dispute(text: str) -> bool:
    """Whether a message is about disputing an entry."""
    return bool(_DISPUTE.search(text))


def asks_balances(text: str) -> bool:
    """Whether the customer wants to see accounts or what is in them."""
    return bool(_BALANCES.search(text))


def asks_payees(text: str) -> bool:
    """Whether the customer wants to know whom they can pay."""
    return bool(_PAYEES.search(text))


def asks_status(text: str) -> bool:
    """Whether the customer asks how a transfer stands."""
    return bool(_STATUS.search(text)) or asks_what_waits(text)


def asks_what_waits(text: str) -> bool:
    """Whether the customer asks what waits for their approval."""
    return bool(_WAITS.search(text))


def greets(text: str) -> bool:
    """Whether a message begins with a greeting."""
    return bool(_HELLO.match(text))


def thanks(text: str) -> bool:
    """Whether a message says thanks or good-bye."""
    return bool(_THANKS.search(text))


def asks_help(text: str) -> bool:
    """Whether a message asks how to go about something."""
    return bool(re.search(r"\bhelp\b|\bcan (?:you|i)\b|\bhow (?:do|can)\b", text, re.IGNORECASE))


def _asks_for_news(text: str) -> bool:
    known = (_HISTORY, _STATEMENT, _PAYEES, _STATUS, _WAITS)
    balance = re.search(r"\bbalances?\b", text, re.IGNORECASE)
    return bool(balance) or any(pattern.search(text) for pattern in known)
