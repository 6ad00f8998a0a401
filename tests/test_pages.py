"""The plain pages that the hub writes itself."""

from __future__ import annotations

from hub.web.serving.pages import page


def test_a_plain_page_shows_text_as_text_and_names_code() -> None:
    answer = page(403, "No <b>", "Run `outpost <link>` & wait.", link=('"Log in"', "/"))
    assert answer.status == 403
    assert answer.text is not None
    assert "<h1>No &lt;b&gt;</h1>" in answer.text
    assert "<p>Run <code>outpost &lt;link&gt;</code> &amp; wait.</p>" in answer.text
    assert '<p><a href="/">&quot;Log in&quot;</a></p>' in answer.text
