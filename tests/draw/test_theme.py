import re

import pytest

from chainrule.draw.theme import DARK, LIGHT, columns, shortened, style, text_width


def channel(hex_pair):
    c = int(hex_pair, 16) / 255
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


def contrast(one, other):
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted(
        (
            sum(weight * channel(colour[i : i + 2]) for weight, i in ((0.2126, 1), (0.7152, 3), (0.0722, 5)))
            for colour in (one, other)
        ),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read_on_what_is_behind_them(colours):
    for behind in ("back", "leaf", "constant", "operation", "root"):
        assert contrast(colours["ink"], colours[behind]) >= 7
        assert contrast(colours["muted"], colours[behind]) >= 4.5
    for kind in ("leaf", "operation", "root"):
        assert contrast(colours["on-strong"], colours[f"{kind}-strong"]) >= 4.5


def test_both_themes_set_the_same_variables():
    assert list(LIGHT) == list(DARK)


def test_a_forced_theme_does_not_ask_the_browser():
    for theme in ("light", "dark"):
        assert "var(" not in style("s", theme)
        assert "@media" not in style("s", theme)
        assert "data-jp-theme-light" not in style("s", theme)
    assert "@media (prefers-color-scheme:dark)" in style("s", "auto")


def variables(rules, selector):
    """The variables that the rule of one of its selectors sets."""
    (line,) = [line for line in rules.splitlines() if selector in line.partition("{")[0].split(",")]
    return dict(pair.split(":") for pair in line[line.index("{") + 1 : -1].removeprefix("--").split(";--"))


@pytest.mark.parametrize(
    ("page", "colours"),
    [
        ('[data-jp-theme-light="false"]', DARK),
        (".vscode-dark", DARK),
        (".vscode-high-contrast", DARK),
        ('[data-jp-theme-light="true"]', LIGHT),
        (".vscode-light", LIGHT),
        (".vscode-high-contrast-light", LIGHT),
    ],
)
def test_in_auto_the_notebook_s_theme_goes_before_the_system_s(page, colours):
    rules = style("s", "auto")
    assert variables(rules, f"{page} .s") == colours
    assert rules.index(f"{page} .s") > rules.index("@media")


def test_in_auto_every_colour_follows():
    rules = style("s", "auto")
    assert set(re.findall(r"var\(--([a-z-]+)\)", rules)) == set(LIGHT)


def test_every_rule_is_scoped():
    first, *rules, last = style("scope", "auto").splitlines()
    assert (first, last) == ("@supports (--a:b){", "}")
    for rule in rules:
        selectors = rule.removeprefix("@media (prefers-color-scheme:dark){").partition("{")[0]
        assert all(".scope" in selector.split() for selector in selectors.split(","))


@pytest.mark.parametrize(("text", "limit", "result"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("学习率", 4, "学…")])
def test_shortened(text, limit, result):
    assert shortened(text, limit) == result
    assert columns(result) <= limit


def test_width_grows_with_the_text():
    assert text_width("WWWW", 10) > text_width("iiii", 10) > 0
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("学", 10) >= 10
