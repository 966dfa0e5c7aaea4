"""`Listing`: how the options of one pair are listed."""

from dataclasses import dataclass

from instruction_kit.template.style import DEFAULT, STYLES, Style
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Listing:
    """Order and style of one row's options."""

    order: tuple[int, ...] | None = None
    """Places of the options in the order in which they are listed; None for the row's own order."""
    style: Style = STYLES[DEFAULT]

    def style_of(self, template: Template) -> Style:
        """The style of a template that states one is its own: its wording may speak of letters or numbers."""
        return STYLES[template.front.style] if template.front.style else self.style
