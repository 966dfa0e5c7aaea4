"""`Outline`: what a template file is, read without building it: its front matter, and the names on each side.

In: the text of a file that is known to be sound. Out: what a list of templates tells of it. Jinja's own lexer cuts the
text, in a tenth of the time that parsing, checking and compiling it take; so nothing is checked, and what a `set` above
the line `|||` brings into the output is not seen: a file of which nobody knows is loaded as a `Template`.
"""

import re
from dataclasses import dataclass

from instruction_kit.template.environment import ENVIRONMENT
from instruction_kit.template.front import FrontMatter, read_front
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE

_SEPARATOR = re.compile(r"^[ \t]*\|\|\|[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Outline:
    """What is seen of one phrasing from outside."""

    name: str
    """`folder/file`, without the suffix."""
    front: FrontMatter
    prompt_names: frozenset[str]
    output_names: frozenset[str]

    @property
    def inverted(self) -> bool:
        """Whether it turns the task around."""
        return ANSWER not in self.output_names

    @property
    def cot(self) -> bool:
        """Whether the output reasons before it answers."""
        return RATIONALE in self.output_names

    @property
    def shows_options(self) -> bool:
        """Whether the prompt lists the options when there are any."""
        return OPTIONS in self.prompt_names

    @property
    def needs_options(self) -> bool:
        """Whether the wording makes no sense without a list of options."""
        return OPTIONS in self.front.needs


def outline(text: str, *, name: str) -> Outline:
    r"""Read one text.

    >>> seen = outline("{{ premise }}\n\n{{ options }}\n|||\n{{ rationale }} So {{ answer }}.", name="x/y")
    >>> seen.cot, seen.inverted, seen.shows_options
    (True, False, True)
    """
    lines = text.split("\n")
    front = read_front(lines, where=name)
    prompt, output = set[str](), set[str]()
    side = prompt
    for _, kind, value in ENVIRONMENT.lex("\n".join(lines[front.height :])):
        if kind == "data" and _SEPARATOR.search(value):
            side = output
        elif kind == "name":
            side.add(value)
    return Outline(name, front.values, frozenset(prompt), frozenset(output))
