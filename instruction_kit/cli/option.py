"""Options that several commands have, said once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Kind = Literal["tasks", "templates", "schemas", "clusters", "families", "recipes"]
"""What `list` lists."""

ENVIRONMENT = "INSTRUCTION_KIT_PATH"
"""Names folders of the user's own, parted as in PATH."""

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="What relative paths of Files sources resolve against.")
]
Paths = Annotated[
    list[Path] | None,
    typer.Option(
        "--path",
        envvar=ENVIRONMENT,
        help="A folder with tasks/ and templates/ of your own, which add to the library's and override them; "
        "may be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Everything, as JSON.")]
