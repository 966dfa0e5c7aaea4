"""The report of a run: its curves as a picture, and one HTML page that needs nothing beside it.

    python -m instruction_kit.training.page RUN

In goes the folder of a run, also of one that is under way; out come `tuning.png` and `tuning.html` in it. Every figure
is read from the run's own files. A tuning run writes both when it ends.
"""

import base64
import sys
from collections.abc import Sequence
from pathlib import Path

from instruction_kit.build.commit import committed, write_text
from instruction_kit.errors import InstructionKitError, TrainingError
from instruction_kit.evaluation.grid import Grid
from instruction_kit.evaluation.markup import element, wide
from instruction_kit.evaluation.page import page as frame
from instruction_kit.evaluation.page import table_of
from instruction_kit.training.curve import Curve, Panel, panels, read_history
from instruction_kit.training.picture import draw

PICTURE, PAGE = "tuning.png", "tuning.html"
COLUMNS = ("", "first", "last", "lowest", "highest", "at step")


def write_page(folder: str | Path) -> list[Path]:
    """Write picture and page of a run into its folder; nothing where fewer than two steps were logged.

    Raises:
        TrainingError: the folder holds no run.

    """
    folder = Path(folder)
    found = panels(read_history(folder))
    if not found:
        return []
    picture = draw(found)
    with committed(folder / PICTURE) as beside:
        beside.write_bytes(picture)
    write_text(folder / PAGE, page(folder.resolve().name, found, picture))
    return [folder / PICTURE, folder / PAGE]


def page(name: str, found: Sequence[Panel], picture: bytes) -> str:
    """Write the page: the picture within it, and a table for each panel."""
    source = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
    image = element("img", alt="The curves of the tables below", src=source)
    tables = [part for panel in found for part in (element("h2", panel.title), table_of(_grid(panel)))]
    return frame(f"Tuning {name}", wide(image, label="Curves"), *tables)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 on an error, which says what to mend."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if len(words) != 1:
            raise TrainingError("usage: python -m instruction_kit.training.page RUN, where RUN is a folder of a run")
        written = write_page(words[0])
        if not written:
            raise TrainingError(f"{words[0]}: fewer than two steps were logged; set --logging_steps")
    except InstructionKitError as error:
        sys.stderr.write(f"page: {error}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def _grid(panel: Panel) -> Grid:
    rows = [*(_row(curve, "") for curve in panel.curves), *(_row(curve, " (validation)") for curve in panel.dashed)]
    return Grid(panel.label.capitalize(), COLUMNS, 1, tuple(rows))


def _row(curve: Curve, kind: str) -> tuple[str, ...]:
    values = (curve.values[0], curve.values[-1], min(curve.values), max(curve.values))
    return (curve.name.replace("_", " ") + kind, *(f"{value:.4f}" for value in values), f"{curve.steps[-1]:,}")


if __name__ == "__main__":
    sys.exit(main())
