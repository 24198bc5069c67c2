"""What the phone shows fits Auth0's alphabet and length, whatever the tool says."""

from hypothesis import given
from hypothesis import strategies as st

from baink_lab.approvals import code_words, fit
from baink_lab.approvals.binding import LONGEST_WORDS
from baink_lab.auth0.ciba import BINDING_MESSAGE


@given(st.text(max_size=400), st.text(min_size=1, max_size=40))
def test_any_text_becomes_a_binding_message(text, approval_id):
    words = code_words(approval_id)
    line = fit(text, words)
    assert BINDING_MESSAGE.fullmatch(line)
    assert line.endswith(f"#{words}")


@given(st.text(min_size=1, max_size=40))
def test_no_code_words_are_longer_than_the_longest(approval_id):
    assert len(code_words(approval_id)) <= len(LONGEST_WORDS)


def test_amount_and_payee_survive_a_long_name():
    line = fit("Pay $25.00 to " + "Zoë Ångström " * 30, code_words("apr_1"))
    assert line.startswith("Pay USD 25.00 to Zoe Angstrom")
    assert len(line) <= 64


def test_the_same_approval_has_the_same_code_words():
    assert code_words("apr_1") == code_words("apr_1")
