"""The HTML report: equal bytes, no address, well-formed, and names that cannot become markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from striate.store.report_page import Mistake, page, verdict

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><body onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "</pre><iframe src=javascript:alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]
VOID = {"meta", "img", "br"}
ALONE = {"polyline", "path"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and that every tag is closed in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in ALONE
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def made(word="seven"):
    results = {
        "classes": ["one", word],
        "confusion": [[30, 2], [7, 61]],
        "seconds": 12.2,
        "epochs": 2,
        "command": f"striate train {word}",
    }
    history = [
        {"epoch": 1, "loss": 0.5, "val_loss": 0.4, word: 0.1},
        {"epoch": 2, "loss": 0.25, "val_loss": 0.45, word: float("nan")},
    ]
    mistakes = [Mistake(b"png", "one", word, 0.93)]
    return page(word, results, history, {"platform": word, word: 1}, mistakes)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("word", PAYLOADS)
def test_names_have_no_effect(word):
    plain, found = read(made()), read(made(word))
    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert found.words.count(word) == plain.words.count("seven")
    assert "script" not in found.tags


def test_equal_runs_give_equal_bytes_and_no_address():
    text = made()
    assert text == made()
    assert not re.search(r"https?:|//|<script|@import|url\(", text)
    sources = [value for name, value in read(text).attributes if name in ("src", "href")]
    assert sources == ["data:image/png;base64,cG5n"]


def test_three_sentences():
    results = {
        "classes": ["a", "b"], "confusion": [[3, 1], [0, 4]], "seconds": 9.6, "epochs": 2
    }  # fmt: skip
    history = [{"epoch": 1, "val_loss": 0.4}, {"epoch": 2, "val_loss": 0.5}]
    assert verdict(results, history) == (
        "87.50 % of 8 test images are right (95 % interval 52.91 to 97.76 %). "
        "Training took 10 s for 2 epochs, the best by validation loss being epoch 1. "
        "Most often, a is taken for b: 1 of 1 mistakes."
    )
    perfect = {**results, "confusion": [[4, 0], [0, 4]], "epochs": 1}
    assert verdict(perfect, []).endswith(
        "Training took 10 s for 1 epoch. No image is taken for another class."
    )


def test_a_run_that_was_stopped():
    results = {"classes": ["a"], "stopped": "interrupted <b>", "seconds": 1, "epochs": 0}
    text = page("first", results, [], {})
    assert "Not tested: interrupted &lt;b&gt;. Training took 1 s for 0 epochs." in text
    assert "<b>" not in text
    read(text)
