"""A mixture that stands in a file.

In: a YAML file. Out: what `make` makes of its keys, with paths relative to the file; or every problem of it, each with
its line. Values that cannot be do not hide names that mean nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instruction_kit.errors import MixtureError
from instruction_kit.mixture.check import problems, raise_all
from instruction_kit.mixture.recipe import PATHS, RECIPE, relative
from instruction_kit.yamlfile import line_of, parse_yaml

if TYPE_CHECKING:
    from instruction_kit.mixture.mixture import Mixture


def read(path: Path, make: "type[Mixture]", *, paths: Sequence[Path], changes: Mapping[str, Any]) -> "Mixture":
    """Read a mixture, with other values for some keys, and further folders of tasks and templates behind its own.

    Raises:
        MixtureError: the file is missing or no YAML, or keys or values or names are wrong.
        TaskError: nothing but task files is wrong.
        TemplateError: nothing but template files is wrong.

    """
    text = _text(path)
    values = {**relative(parse_yaml(text, where=str(path), error=MixtureError), path.parent), **changes}
    if paths and isinstance(values.setdefault("paths", []), str | list):
        mine = values["paths"]
        values["paths"] = [*([mine] if isinstance(mine, str) else mine), *map(str, paths)]
    located = partial(_located, path, text, {*values, *make.model_fields} - {*changes})
    try:
        made = make(**values)
    except MixtureError as error:
        told = str(error).split("\n")
        raise MixtureError(located([*told, *_of_the_rest(told, values, make)])) from error
    raise_all([type(problem)(located(str(problem).split("\n"))) for problem in problems(made)])
    return made


def _located(path: Path, text: str, keys: Collection[str], told: Iterable[str]) -> str:
    """Each problem of a key with the key's line; a task or template file says its own."""
    lines, written = [], parse_yaml(text, where=str(path), error=MixtureError)
    for problem in told:
        key, _, why = problem.partition(": ")
        at = line_of(text, key, said=why) if _first(key) in written else line_of(text, RECIPE)
        lines.append(f"{path}:{at}: {problem}" if _first(key) in keys else problem)
    return "\n".join(lines)


def _first(key: str) -> str:
    return key.partition(":")[0].partition(".")[0]


def _of_the_rest(told: Iterable[str], values: Mapping[str, Any], make: "type[Mixture]") -> list[str]:
    """What is wrong with the names under the other keys, as far as the keys that cannot be read do not say it."""
    unread = {_first(problem) for problem in told}
    if unread & set(PATHS):
        return []
    try:
        rest = make(**{key: value for key, value in values.items() if key not in unread})
    except MixtureError:  # they need what cannot be read
        return []
    lines = [line for problem in problems(rest) for line in str(problem).split("\n")]
    return [line for line in lines if _first(line) not in unread]


def _text(path: Path) -> str:
    if not path.is_file():
        raise MixtureError(f"{path}: is a folder; name a YAML file" if path.is_dir() else f"{path}: no such file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MixtureError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
