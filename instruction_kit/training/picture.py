"""The curves of a run as a picture: one panel for each kind of figure, one line for each task or cluster.

Full lines are what was trained on, dashed ones validation rows in the same colour.
"""

from collections.abc import Sequence
from io import BytesIO

from instruction_kit.canvas import INK, QUIET, Axes, Figure, MaxNLocator, canvas, own_settings, quiet
from instruction_kit.training.curve import Curve, Panel

WIDTH_INCHES, PANEL_INCHES, LEGEND_LINES = 10.0, 3.6, 18
"""A legend names so many lines and no more, as high as its panel; the others are drawn grey."""
AXES_SHARE = 0.73
"""Of the width; the rest is for legends, which else would push panels apart and lie on each other."""
COLORS = ("#1f5fa8", "#c0392b", "#2e8b57", "#b8860b", "#7b4ea3", "#1697a6", "#d2691e", "#5d6d7e", "#a8326e", "#6b8e23")


def draw(panels: Sequence[Panel]) -> bytes:
    """Draw panels one below the other; the picture is a PNG."""
    with own_settings():
        found = BytesIO()
        figure(panels).savefig(found, format="png", dpi=120, metadata={"Software": None})
    return found.getvalue()


def figure(panels: Sequence[Panel]) -> Figure:
    """Lay panels out, each with its legend to its right."""
    sheet = canvas(WIDTH_INCHES, PANEL_INCHES * len(panels))
    for place, panel in enumerate(panels):
        _draw_panel(sheet.add_subplot(len(panels), 1, place + 1), panel)
    sheet.tight_layout(rect=(0, 0, AXES_SHARE, 1))
    return sheet


def _draw_panel(axes: Axes, panel: Panel) -> None:
    names = list(dict.fromkeys(curve.name for curve in (*panel.curves, *panel.dashed)))
    color = {name: COLORS[place % len(COLORS)] if place < LEGEND_LINES else QUIET for place, name in enumerate(names)}
    for curve in panel.curves:
        _draw_curve(axes, curve, color=color[curve.name], style="-", named=color[curve.name] != QUIET)
    trained = {curve.name for curve in panel.curves}
    for curve in panel.dashed:
        _draw_curve(
            axes,
            curve,
            color=color[curve.name],
            style="--",
            named=curve.name not in trained and color[curve.name] != QUIET,
        )
    axes.set_title(panel.title, fontsize=11, fontweight="bold", color=INK, loc="left")
    axes.set_ylabel(panel.label, fontsize=8.5, color=INK)
    axes.set_xlabel("step" + (" (dashed: validation rows)" if panel.dashed else ""), fontsize=8.5, color=INK)
    quiet(axes, sides=("bottom", "left"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half a step
    if len(names) > LEGEND_LINES:
        axes.plot([], [], color=QUIET, label=f"{len(names) - LEGEND_LINES} more")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=7.5).set_in_layout(False)


def _draw_curve(axes: Axes, curve: Curve, *, color: str, style: str, named: bool) -> None:
    label = curve.name.replace("_", " ") if named else f"_{curve.name}"
    mark = "o" if len(curve.steps) == 1 else None
    width = 2.2 if curve.name == "all" else 1.3
    axes.plot(curve.steps, curve.values, style, color=color, linewidth=width, marker=mark, markersize=4, label=label)
