"""A built folder as a picture: what trains, how long its pairs are, where the rows of the sources went.

In: `Stats`, and a file whose suffix says the format. Out: the file. A folder
gives the same bytes again.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from instruction_kit.built.lengths import Length
from instruction_kit.built.stats import Part, Stats, TaskLedger
from instruction_kit.canvas import INK, Axes, Figure, Patch, canvas, own_settings, quiet
from instruction_kit.errors import BuildError

SOFT, FULL, EXPECTED = "#8a8f98", "#1f5fa8", "#c0392b"
FATES = {
    "used": "#1f5fa8",
    "not drawn": "#c3d4e8",
    "skipped": "#d8d8d8",
    "rejected": "#c0392b",
    "removed": "#e59866",
}
LINE_INCHES, PANEL_INCHES, HEAD_INCHES, WIDTH_INCHES = 0.26, 1.0, 0.7, 9.0
LEFT, RIGHT = 0.34, 0.86
"""Where the axes begin and end, as shares of the width: names stand to the left, figures to the right."""


class Panel(NamedTuple):
    """One pair of axes with a line for each name."""

    title: str
    names: Sequence[str]
    kind: Literal["pairs", "lengths", "fates"]
    values: Sequence[Part] | Sequence[Length] | Sequence[TaskLedger]

    @property
    def inches(self) -> float:
        """Its height."""
        return PANEL_INCHES + LINE_INCHES * len(self.names)


def picture_format(path: Path) -> Literal["png", "svg"]:
    """What a file's suffix asks for.

    Raises:
        BuildError: it is another one, or the folder of the file is not there.

    """
    if not path.parent.is_dir():
        raise BuildError(f"{path}: the folder {path.parent} does not exist; make it, or name another file")
    match path.suffix.lower():
        case ".png":
            return "png"
        case ".svg":
            return "svg"
    raise BuildError(f"{path}: a picture is a .png or an .svg file")


def draw(stats: Stats, path: Path) -> None:
    """Draw it.

    Raises:
        BuildError: the file's suffix or folder cannot be.

    """
    kind = picture_format(path)
    panels = list(_panels(stats))
    height = HEAD_INCHES + sum(panel.inches for panel in panels)
    with own_settings(salt=stats.fingerprint):
        sheet = canvas(WIDTH_INCHES, height)
        _draw_head(sheet, stats, height)
        top = height - HEAD_INCHES
        for panel in panels:
            low = (top - panel.inches + 0.55) / height
            axes = sheet.add_axes((LEFT, low, RIGHT - LEFT, (panel.inches - PANEL_INCHES) / height))
            sheet.text(0.02, (top - 0.2) / height, panel.title, fontsize=11, fontweight="bold", color=INK, va="center")
            _draw_panel(sheet, axes, panel, stats, (top - 0.2) / height)
            top -= panel.inches
        sheet.savefig(path, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {"Software": None})


def _panels(stats: Stats) -> Iterator[Panel]:
    for by in ("cluster", "task"):
        if parts := [part for part in stats.composition if (part.split, part.by) == ("train", by)]:
            yield Panel(f"Training pairs by {by}", [part.name for part in parts], "pairs", parts)
    for unit in ("characters", "tokens"):
        shown = [one for one in stats.lengths if one.task is None and one.unit == unit and one.side != "pair"]
        if shown:
            yield Panel(f"Lengths in {unit}", [f"{one.split} · {one.side}" for one in shown], "lengths", shown)
    read = [ledger for ledger in stats.ledgers if ledger.read > ledger.not_drawn]
    if read:
        names = [f"{ledger.task} · {ledger.split}" for ledger in read]
        yield Panel("Where the rows of the sources went", names, "fates", read)


def _draw_panel(canvas: Figure, axes: Axes, panel: Panel, stats: Stats, title_at: float) -> None:
    axes.set_ylim(len(panel.names) - 0.5, -0.5)
    axes.set_yticks(range(len(panel.names)), panel.names, fontsize=8.5, color=INK)
    axes.tick_params(axis="y", length=0)
    quiet(axes, ticks="x", grid="x")
    if panel.kind == "pairs":
        _draw_pairs(axes, panel, stats)
    elif panel.kind == "lengths":
        _draw_lengths(axes, panel)
    else:
        _draw_fates(axes, panel)
        keys = [Patch(color=color, label=name) for name, color in FATES.items()]
        canvas.legend(
            handles=keys, loc="center right", bbox_to_anchor=(0.98, title_at), ncols=len(keys), frameon=False,
            fontsize=8.5, handlelength=1,
        )  # fmt: skip


def _draw_pairs(axes: Axes, panel: Panel, stats: Stats) -> None:
    expected = {share.task: share.expected for share in stats.shares}
    total = sum(part.pairs for part in panel.values if isinstance(part, Part))
    for at, part in enumerate(panel.values):
        if isinstance(part, Part):
            axes.barh(at, part.pairs, height=0.66, color=FULL)
            if part.by == "task":
                axes.vlines(expected[part.name] * total, at - 0.4, at + 0.4, colors=EXPECTED, linewidth=1.4)
            _beside(axes, at, f"{part.pairs:,}  {part.share:.1%}")
    planned = any(isinstance(part, Part) and part.by == "task" for part in panel.values)
    axes.set_xlabel("pairs; a red line is what the plan expected" if planned else "pairs", fontsize=8.5, color=SOFT)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.locator_params(axis="x", nbins=5, integer=True)


def _draw_lengths(axes: Axes, panel: Panel) -> None:
    axes.set_xscale("log")
    for at, one in enumerate(panel.values):
        if isinstance(one, Length):
            color = FULL if one.side == "prompt" else SOFT
            axes.plot([max(one.p5, 1), max(one.p95, 1)], [at, at], color=color, linewidth=1.4, solid_capstyle="butt")
            axes.plot([max(one.p25, 1), max(one.p75, 1)], [at, at], color=color, linewidth=6, solid_capstyle="butt")
            axes.plot(max(one.median, 1), at, "o", color="white", markeredgecolor=color, markersize=5)
            axes.plot(max(one.max, 1), at, "|", color=color, markersize=8)
            _beside(axes, at, f"{one.median:,}  max {one.max:,}")
    axes.set_xlabel("median, middle half, 5% to 95%, longest", fontsize=8.5, color=SOFT)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(lambda *_: "")


def _draw_fates(axes: Axes, panel: Panel) -> None:
    for at, one in enumerate(panel.values):
        if isinstance(one, TaskLedger):
            start = 0.0
            for name, color in FATES.items():
                share = getattr(one, name.replace(" ", "_")) / one.read
                axes.barh(at, share, left=start, height=0.66, color=color)
                start += share
            _beside(axes, at, f"{one.read:,}")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100%"])
    axes.set_xlabel("of the rows that were read, whose number stands beside", fontsize=8.5, color=SOFT)


def _beside(axes: Axes, at: int, text: str) -> None:
    axes.text(1.02, at, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK)


def _draw_head(canvas: Figure, stats: Stats, height: float) -> None:
    pairs = {part.split: part.pairs for part in stats.composition if part.by == "split"}
    canvas.text(
        0.02, 1 - 0.26 / height, "What the mixture holds", fontsize=14, fontweight="bold", color=INK, va="center"
    )
    measured = sum(count for split, count in pairs.items() if split not in ("train", "validation", "seen"))
    told = f"{pairs.get('train', 0):,} training pairs, {measured:,} held-out pairs · {stats.fingerprint[:16]}"
    canvas.text(0.02, 1 - 0.52 / height, told, fontsize=9, color=SOFT, va="center")
