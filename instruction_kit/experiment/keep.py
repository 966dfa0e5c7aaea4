"""Steps that are kept: one that is done is not done again, and one that was done otherwise is never mixed in.

In: a folder, what decides what the step writes, and the step. A receipt beside the folder, written last, has both that
and the hashes of the files. A step whose receipt is missing, or whose files are not what it says, is done again; what
it was begun with stands beside the folder too, so that it goes on with nothing else.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from instruction_kit.build.commit import read_receipt, receipt
from instruction_kit.errors import ExperimentError

Said = Mapping[str, str]
"""What decides a step, each under a name that a reader understands."""


def kept(folder: Path, *, pattern: str, said: Said, step: Callable[[], object]) -> None:
    """Do a step unless it is done; `pattern` names its files in the folder.

    Raises:
        ExperimentError: the folder holds what the same step wrote under other conditions.

    """
    mark, begun = (folder.with_name(f"{folder.name}{end}") for end in (".json", ".begun.json"))
    done = read_receipt(mark, _files(folder, pattern))
    before = done or read_receipt(begun, {})
    if before not in (None, said):
        raise ExperimentError(f"{folder}: done otherwise: {_differing(before, said)}; name another --output_dir")
    if done is None:
        receipt(begun, {}, said)
        step()
        receipt(mark, _files(folder, pattern), said)
    begun.unlink(missing_ok=True)


def _files(folder: Path, pattern: str) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.glob(pattern))}


def _differing(before: Said, now: Said) -> str:
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return "; ".join(f"{name} was {_short(before.get(name))}, now {_short(now.get(name))}" for name in names)


def _short(value: str | None) -> str:
    """A hash needs no 64 digits to be told from another.

    >>> _short("0f" * 32)
    '0f0f0f0f0f0f'
    """
    text = json.dumps(value) if value is None else value
    return text[:12] if len(text) == 64 else text
