"""The report of a run: its curves as a picture, and one HTML page that needs nothing beside it.

    python -m instruction_kit.training.page RUN

In goes the folder of a run, also of one that is under way; out come `tuning.png` and `tuning.html` in it. Every figure
is read from the run's own files. A tuning run writes both when it ends.
"""

import base64
import html
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from instruction_kit.build.commit import committed, write_text
from instruction_kit.errors import InstructionKitError, TrainingError
from instruction_kit.training.curve import Curve, Panel, panels, read_history
from instruction_kit.training.picture import draw

PICTURE, PAGE = "tuning.png", "tuning.html"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22262b; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100% }
table { border-collapse: collapse; margin: 0 0 2rem }
th, td { padding: .2rem .9rem; text-align: right; border-bottom: 1px solid #e0e3e8 }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
"""


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
    title = html.escape(f"Tuning {name}")
    image = base64.b64encode(picture).decode("ascii")
    body = "\n".join(line for panel in found for line in _table(panel))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f'<img alt="The curves of the tables below" src="data:image/png;base64,{image}">\n{body}\n</body>\n</html>\n'
    )


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


def _table(panel: Panel) -> Iterator[str]:
    yield f"<h2>{html.escape(panel.title)}</h2>"
    yield "<table><tr><th></th><th>first</th><th>last</th><th>lowest</th><th>highest</th><th>at step</th></tr>"
    yield from (_row(curve, "") for curve in panel.curves)
    yield from (_row(curve, " (validation)") for curve in panel.dashed)
    yield f"</table><p>{html.escape(panel.label.capitalize())}.</p>"


def _row(curve: Curve, kind: str) -> str:
    values = (curve.values[0], curve.values[-1], min(curve.values), max(curve.values))
    cells = "".join(f"<td>{value:.4f}</td>" for value in values)
    name = html.escape(curve.name.replace("_", " ") + kind)
    return f"<tr><td>{name}</td>{cells}<td>{curve.steps[-1]:,}</td></tr>"


if __name__ == "__main__":
    sys.exit(main())
