"""The mixture that a command line means: a file or a recipe, with other values for some of its keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from instruction_kit.cli.path import say_folders
from instruction_kit.errors import MixtureError, nearest
from instruction_kit.library import recipe_files
from instruction_kit.mixture import Mixture
from instruction_kit.yamlfile import parse_yaml


def named_mixture(name: Path, *, data_dir: Path | None, changes: Sequence[str], paths: Sequence[Path]) -> Mixture:
    """Read it; what is no file and looks like none is the name of a recipe.

    Raises:
        MixtureError: there is neither a file nor a recipe of that name, or it cannot be.

    """
    values = _changed(changes)
    if data_dir is not None:
        values["data_dir"] = data_dir
    if name.exists() or name.suffix or len(name.parts) > 1:
        mixture = Mixture.from_yaml(name, paths=paths, changes=values)
        say_folders(mixture.paths)
        return mixture
    if str(name) not in (known := recipe_files(paths)):
        raise MixtureError(f"{name}: neither a file nor a recipe; {nearest(str(name), known)}")
    say_folders(paths)
    return Mixture.from_yaml(known[str(name)], paths=paths, changes=values)


def _changed(changes: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign or not key.isidentifier():
            raise MixtureError(f"--set {change}: give KEY=VALUE, such as num_clusters=3 or hold_out=[sentiment]")
        values |= parse_yaml(f"{key}: {value}", where=f"--set {change}", error=MixtureError)
    return values
