"""The state machine of an approval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baink_lab.approvals import Approval, ApprovalError, State
from baink_lab.approvals.approval import MOVES, approval_id, digest_of


def an_approval(state=State.REQUESTING):
    return Approval(
        id=approval_id("t", "c"), thread_id="t", tool_call_id="c", user_id="u", tool="pay",
        node="pay", arguments={"amount": "1.00"}, digest=digest_of("pay", {"amount": "1.00"}),
        scope="openid", audience=None, binding_message="Pay", created_at=0.0, expires_at=300.0,
        state=state,
    )  # fmt: skip


@given(st.lists(st.sampled_from(sorted({move for moves in MOVES.values() for move in moves}))))
def test_no_order_of_events_leaves_an_outcome(events):
    approval = an_approval()
    for event in events:
        before = approval
        try:
            approval = approval.move(event)
        except ApprovalError:
            assert event not in MOVES[before.state]
        assert not before.state.is_outcome or approval.state is before.state


def test_a_push_must_be_sent_before_a_token_can_arrive():
    with pytest.raises(ApprovalError, match="requesting"):
        an_approval().move("token arrived")


def test_a_record_survives_json_and_fields_of_a_later_version():
    approval = an_approval().move("push sent", interval=7.0)
    assert Approval.from_json(approval.to_json() | {"new_field": 1}) == approval


@given(st.dictionaries(st.text(), st.text()))
def test_the_digest_ignores_the_order_of_keys_and_nothing_else(arguments):
    backwards = dict(reversed(arguments.items()))
    assert digest_of("pay", arguments) == digest_of("pay", backwards)
    assert digest_of("pay", arguments) != digest_of("pay", arguments | {"other": "value"})
