from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.probe.redact import LONGEST, MASK, Redactor


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for secret in secrets:
        made.learn(secret)
    return made


def test_a_text_without_secrets_stays_as_it_is():
    assert redactor("correct horse battery").clean("535 5.7.139 no") == "535 5.7.139 no"


@pytest.mark.parametrize("text", ["it was hunter2-hunter!", "HUNTER2-HUNTER!", "hunter2-hunter! hunter2-hunter!"])
def test_a_secret_is_masked_whatever_its_case(text):
    assert "unter" not in redactor("hunter2-hunter!").clean(text).lower()


def test_a_piece_of_a_secret_is_masked_and_what_is_beside_it_stays():
    assert redactor("correct horse battery").clean("[horse battery]") == f"[{MASK}]"


@pytest.mark.parametrize("before", ["", "u", "user=a", "user=ab"])
def test_base64_of_a_secret_is_masked_wherever_it_stands_in_the_encoded_text(before):
    encoded = base64.b64encode(f"{before}correct horse battery!".encode()).decode()
    shown = redactor("correct horse battery!").clean(f"x {encoded} y")
    assert MASK in shown
    left = shown.replace(MASK, "").removeprefix("x ").removesuffix(" y")
    assert len(left) <= len(before) * 4 // 3 + 4  # what stood before, and the letters that are half of it


def test_any_token_is_masked_even_one_that_was_never_learned():
    assert redactor().clean("got eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.") == f"got {MASK}."


def test_nothing_learned_masks_nothing():
    assert redactor("").clean("anything at all") == "anything at all"


def test_a_long_text_is_cut():
    assert len(redactor().clean("x" * 10 * LONGEST)) < LONGEST + 10


def test_letters_that_grow_in_lower_case_do_not_shift_the_mask():
    assert "secret-word" not in redactor("secret-word").clean("İİİ secret-word")


@given(st.text(min_size=6, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_a_secret_never_comes_through(secret, before, after):
    shown = redactor(secret).clean(before + secret + after)
    assert secret.lower() not in shown.replace(MASK, "\n").lower()
