"""Where tasks, templates and recipes lie: the library that ships with the package, then the folders that a user names.

In: folders. Out: the search path. In a checkout the library is the repository's own `tasks/` and `templates/`, in an
installed wheel it is `instruction_kit/library/`; this is the one place that chooses between them.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from instruction_kit.errors import InstructionKitError

PACKAGE = Path(__file__).resolve().parent


def library_folder() -> Path:
    """Folder that holds the shipped `tasks/` and `templates/`."""
    shipped = PACKAGE / "library"
    return shipped if shipped.is_dir() else PACKAGE.parent


def search_path(paths: Sequence[str | Path] = ()) -> list[Path]:
    """The library, then the user's folders; a later folder adds to and overrides an earlier one.

    Raises:
        InstructionKitError: a folder does not exist, is a file, or holds neither `tasks/` nor `templates/`.

    """
    folders = [library_folder()]
    for path in map(Path, paths):
        if not any((path / name).is_dir() for name in ("tasks", "templates", "recipes")):
            raise InstructionKitError(f"{path}: {_fault(path)}")
        folders.append(path.resolve())
    return folders


def recipe_files(paths: Sequence[str | Path] = ()) -> dict[str, Path]:
    """Name -> file of every recipe, in the library and in the user's folders; a later one overrides an earlier one."""
    folders = [library_folder(), *(Path(path).resolve() for path in paths)]
    files = [file for folder in folders for file in sorted(folder.glob("recipes/**/*.y*ml"))]
    return {file.stem: file for file in files}


def _fault(path: Path) -> str:
    wanted = "a folder that holds tasks/ or templates/ or both"
    if path.is_dir():
        return f"has neither a tasks/ nor a templates/ folder; name {wanted}"
    return f"is a file; name {wanted}" if path.exists() else f"does not exist; name {wanted}"


def text_hash(*parts: str | bytes) -> str:
    """Hash of some texts, each with its length, so that no two lists of texts share one.

    >>> text_hash("ab", "c") == text_hash("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


@cache
def code_hash() -> str:
    """Hash of the modules that shape a built mixture, from schema to build: a change of code is a change of key."""
    rooms = "schema source task template render choice exemplar holdout mixture build"
    files = [file for room in rooms.split() for file in (PACKAGE / f"{room}.py", *(PACKAGE / room).rglob("*.py"))]
    return text_hash(*(f.read_bytes() for f in sorted(file for file in files if file.is_file())))
