"""Elements of HTML and SVG: a name, what stands in it and its attributes go in, escaped text comes out.

Every element is closed, so that a page is XML too and can be read back by any parser.
"""

from html import escape


class Markup(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """Write one element; `class_` is the attribute `class`, and `aria_label` is `aria-label`.

    >>> element("p", "a < b", element("br"), class_="note")
    '<p class="note">a &lt; b<br/></p>'
    """
    said = "".join(f' {_attribute(key)}="{escape(_text(value))}"' for key, value in attributes.items())
    inner = "".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children)
    return Markup(f"<{name}{said}>{inner}</{name}>" if children else f"<{name}{said}/>")


def joined(*parts: str) -> Markup:
    """Elements one after another."""
    return Markup("\n".join(parts))


def wide(content: Markup, *, label: str) -> Markup:
    """What is wider than a narrow window scrolls by itself, with the keyboard too."""
    return element("div", content, class_="wide", role="region", aria_label=label, tabindex="0")


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
