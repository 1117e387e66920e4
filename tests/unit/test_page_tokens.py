"""Page tokens: signed by the snippet, verified by the relay."""

import time

import pytest
from jinja2 import Environment
from neuralens_embed import Snippet
from neuralens_embed.attributes import MarkupError
from neuralens_embed.jinja import install
from neuralens_embed.page_tokens import (
    FRESH,
    MIN_SECRET,
    OLDEST,
    TOLERANCE,
    Verdict,
    judge_token,
    make_token,
)

SECRET = "page-secret-4711-0123456789abcdef"
NOW = 1_795_600_000


def judge(token, secret=SECRET, app_id="APP", age=0.0):
    return judge_token(secret, app_id, token, NOW + age)


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (0, Verdict.FRESH),
        (-TOLERANCE, Verdict.FRESH),
        (-TOLERANCE - 1, Verdict.EXPIRED),
        (-OLDEST, Verdict.EXPIRED),
        (-OLDEST - 1, Verdict.OLD),
        (FRESH, Verdict.FRESH),
        (FRESH + 1, Verdict.EXPIRED),
        (OLDEST, Verdict.EXPIRED),
        (OLDEST + 1, Verdict.OLD),
    ],
)
def test_age_of_a_token(age, verdict):
    assert judge(make_token(SECRET, "APP", NOW), age=age) is verdict


def test_a_token_is_bound_to_secret_and_application():
    token = make_token(SECRET, "APP", NOW)
    assert len(token) < 40
    assert judge(token, secret="another") is Verdict.FORGED
    assert judge(token, app_id="OTHER") is Verdict.FORGED
    made, _, signature = token.partition(".")
    assert judge(f"{int(made) + 1}.{signature}") is Verdict.FORGED


@pytest.mark.parametrize("token", [None, ""])
def test_no_token(token):
    assert judge(token) is Verdict.MISSING


@pytest.mark.parametrize("token", ["x", ".", "1.", 7, True, [], {}, "1." + "é" * 22, "9" * 40])
def test_an_invalid_token_is_forged(token):
    assert judge(token) is Verdict.FORGED


def token_of(html):
    return str(html).partition('data-token="')[2].partition('"')[0]


def test_the_snippet_signs_a_token_into_each_tag(monkeypatch):
    snippet = Snippet("APP", integrity=False, versioned=False, page_secret=SECRET)
    html = str(snippet.render())
    assert judge_token(SECRET, "APP", token_of(html), time.time()) is Verdict.FRESH
    assert SECRET not in html
    assert token_of(Snippet("APP", integrity=False, versioned=False).render()) == ""
    monkeypatch.setenv("NEURALENS_PAGE_SECRET", SECRET)
    environment = Environment(autoescape=True)
    install(environment, app_id="APP", integrity=False, versioned=False)
    html = environment.from_string("{{ neuralens_snippet() }}").render()
    assert judge_token(SECRET, "APP", token_of(html), time.time()) is Verdict.FRESH
    assert token_of(Snippet("APP", integrity=False, versioned=False, page_secret="").render()) == ""


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_short_secret_is_refused_and_signs_nothing(monkeypatch, caplog, by):
    short = "s" * (MIN_SECRET - 1)
    given = {"page_secret": short}
    name = "page_secret"
    if by == "environment":
        given, name = {}, "NEURALENS_PAGE_SECRET"
        monkeypatch.setenv(name, short)
    with pytest.raises(MarkupError, match=f"^{name} must have at least 32 characters") as caught:
        Snippet("APP", integrity=False, versioned=False, **given)
    assert short not in str(caught.value)
    lenient = Snippet("APP", integrity=False, versioned=False, strict=False, **given)
    assert token_of(lenient.render()) == ""
    assert f"{name} must have at least 32 characters" in caplog.text
    assert short not in caplog.text
