"""Each batch contains the page token of the snippet."""

from neuralens_embed.page_tokens import Verdict, judge_token, make_token

from tests.polling import eventually
from tests.processes import APPLICATION

SECRET = "page-secret-4711"


def test_the_tags_token_is_in_each_batch(show, shop, ledger):
    token = make_token(SECRET, APPLICATION, 1_795_600_000)
    page = show("", token=token)
    page.evaluate("neuralens('track', 'SHARE', { id: 'A' })")
    page.evaluate("neuralens('flush')")
    eventually(lambda: shop.posts)
    (post,) = shop.posts
    assert (post.status, post.batch["token"]) == (202, token)
    verdict = judge_token(SECRET, post.batch["app"], post.batch["token"], 1_795_600_000)
    assert verdict is Verdict.FRESH
