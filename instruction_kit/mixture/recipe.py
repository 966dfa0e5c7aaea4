"""Recipes: mixtures that have a name, to start from.

In: the keys of a mixture, `recipe` among them or among those of a part. Out: the recipe's keys under the others, which
come first. A recipe is a mixture file in a folder `recipes/`, of the library or of `paths`, and may start from another.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instruction_kit.errors import MixtureError, nearest
from instruction_kit.library import recipe_files
from instruction_kit.yamlfile import parse_yaml

RECIPE, PARTS = "recipe", "parts"
PATHS = ("paths", "data_dir")


def spelled_out(values: Mapping[str, Any], *, trail: Sequence[str] = (), paths: Sequence[Any] = ()) -> dict[str, Any]:
    """The keys of a mixture without `recipe`: what it says stands in its place.

    Raises:
        MixtureError: there is no such recipe, its file is no YAML, or it starts from itself.

    """
    own = {key: value for key, value in values.items() if key != RECIPE}
    found = own.get("paths")
    paths = found if isinstance(found, list | tuple) else paths
    if RECIPE in values:
        name = values[RECIPE]
        own = _read(name, trail, paths) | own
        trail = [*trail, name]
    if isinstance(own.get(PARTS), Mapping):
        own[PARTS] = {
            name: spelled_out(part, trail=trail, paths=paths) if isinstance(part, Mapping) else part
            for name, part in own[PARTS].items()
        }
    return own


def _read(name: Any, trail: Sequence[str], paths: Sequence[Any]) -> dict[str, Any]:
    files = recipe_files([Path(path) for path in paths if isinstance(path, str | Path)])
    if name not in files:
        raise MixtureError(f"recipe: there is no recipe {name}; {nearest(str(name), files)}")
    if name in trail:
        raise MixtureError(f"recipe: {' -> '.join([*trail, name])} goes round in a circle")
    text = files[name].read_text(encoding="utf-8")
    values = parse_yaml(text, where=str(files[name]), error=MixtureError)
    return spelled_out(relative(values, files[name].parent), trail=[*trail, name], paths=paths)


def relative(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The keys of a file, its paths against the folder in which it lies."""
    found = dict(values)
    for key in PATHS:
        if isinstance(values.get(key), str):
            found[key] = str(folder / values[key])
        elif isinstance(values.get(key), list):
            found[key] = [str(folder / str(entry)) for entry in values[key]]
    budget = values.get("budget")
    if isinstance(budget, dict) and isinstance(name := budget.get("tokenizer"), str) and (folder / name).is_dir():
        found["budget"] = {**budget, "tokenizer": str(folder / name)}
    return found
