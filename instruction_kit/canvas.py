"""What every picture is drawn on and with: a canvas of its own, and axes that keep behind what they measure.

In: sizes in inches. Out: matplotlib's objects under the library's defaults, so that no setting of the reader's or of a
notebook shows in a picture. What a picture shows stands in the room that draws it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from instruction_kit.errors import MissingExtraError

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch, Rectangle
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as error:
    raise MissingExtraError("a picture (matplotlib)", extra="tune") from error

__all__ = [
    "INK",
    "QUIET",
    "Axes",
    "Figure",
    "Line2D",
    "MaxNLocator",
    "Patch",
    "Rectangle",
    "canvas",
    "own_settings",
    "quiet",
]

INK, QUIET = "#22262b", "#e0e3e8"


@contextmanager
def own_settings(*, salt: str | None = None) -> Iterator[None]:
    """Matplotlib's defaults, and the reader's settings again behind them; of one `salt` an SVG has the same names."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["axes.unicode_minus"] = False
        mpl.rcParams["svg.hashsalt"] = salt
        yield


def canvas(width: float, height: float) -> Figure:
    """A white canvas that no window shows."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def quiet(
    axes: Axes,
    *,
    ticks: Literal["x", "y", "both"] = "both",
    grid: Literal["x", "y", "both"] = "both",
    sides: tuple[str, ...] = ("bottom",),
    size: float = 8.5,
) -> None:
    """Pale lines behind the figures, and of the frame only these sides."""
    axes.tick_params(axis=ticks, labelsize=size, color=QUIET, labelcolor=INK)
    axes.grid(visible=True, axis=grid, color=QUIET, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in sides)
        spine.set_color(QUIET)
