"""What shapes a built folder, as hashes: the same identity means the same bytes.

In: a mixture and its scan units. Out: an `Identity`, and the refusal of a folder that holds another mixture, with what
differs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instruction_kit.build.commit import write_json
from instruction_kit.build.duplicate import minhash_version
from instruction_kit.build.length import read_tokenizer, tokenizer_hash
from instruction_kit.build.manifest import MANIFEST
from instruction_kit.build.prompts import prompts_hash
from instruction_kit.build.scan import task_hash
from instruction_kit.build.unit import ScanUnit
from instruction_kit.errors import BuildError
from instruction_kit.library import code_hash, text_hash

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

IDENTITY = "identity.json"
MAX_TOLD = 8


@dataclass(frozen=True)
class Identity:
    """The mixture's own values, and the hashes of everything else."""

    mixture: Mapping[str, Any]
    inputs: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hash of all of it."""
        return text_hash(json.dumps([self.mixture, self.inputs], sort_keys=True))


def identify(mixture: "Mixture", units: Sequence[ScanUnit]) -> Identity:
    """Hash what shapes the folder: mixture, tasks, templates, sources, code."""
    contents: dict[str, list[str]] = {}
    for unit in units:
        contents.setdefault(f"source {unit.task} {unit.split}", []).extend(part.content for part in unit.parts)
    sources = {name: text_hash(*parts) for name, parts in contents.items()}
    return Identity(mixture.portable(), {**read_inputs(mixture), **sources})


def read_inputs(mixture: "Mixture") -> dict[str, str]:
    """Hashes of all that is read before any row is: code, tasks, templates, exemplars, tokenizer."""
    active = sorted({*mixture.held_out.training, *mixture.held_out.measured})
    templates = {f"template {t.name}": t.hash for name in active for t in mixture.templates[name]}
    tasks = {f"task {name}": task_hash(mixture.chosen[name], data_dir=mixture.data_dir) for name in active}
    keys = {key for part in mixture.homes.values() for key in part.settings} | {*mixture.held_out_settings}
    shown = any(key.startswith("few_shot.") for key in keys)
    written = {name: mixture.chosen[name].exemplar_path for name in active if shown}
    exemplars = {f"exemplars {name}": text_hash(path.read_bytes()) for name, path in written.items() if path}
    folders = {name: mixture.prompts_of(name) for name in active if shown}
    exemplars |= {f"prompts {name}": prompts_hash(folder) for name, folder in folders.items() if folder}
    counted = mixture.budget.tokenizer if mixture.budget else None
    length = {"tokenizer": tokenizer_hash(read_tokenizer(counted))} if counted else {}
    sketched = {"near duplicates": minhash_version()} if mixture.drop_duplicates == "near" else {}
    left = text_hash(*(part for item in mixture.leaving.items() for part in item))
    return {"code": code_hash(), "what leaves": left, **length, **sketched, **tasks, **exemplars, **templates}


def differences(before: Identity, now: Identity) -> list[str]:
    """What is said, read or written differently."""
    return [*_changed(before.mixture, now.mixture), *_moved(before.inputs, now.inputs)]


def check_folder(out: Path, work: Path, identity: Identity) -> None:
    """Refuse a folder that holds, or was begun with, something else.

    Raises:
        BuildError: with everything that differs.

    """
    begun = [path for path in work.parent.glob(f"*/{IDENTITY}") if path.parent != work]
    finished = [out / MANIFEST] if (out / MANIFEST).is_file() else []
    for path in (*begun, *finished):
        said = json.loads(path.read_text(encoding="utf-8"))
        if changed := differences(Identity(said["mixture"], said["inputs"]), identity):
            raise BuildError(
                f"{out}: holds another mixture: {'; '.join(changed)}; build into a new folder, or remove this one"
            )


def sign(work: Path, identity: Identity) -> None:
    """Say what a folder is for, before the first file is written to it."""
    write_json(work / IDENTITY, {"mixture": identity.mixture, "inputs": identity.inputs})


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    keys = sorted({*before, *now})
    return [f"{key} was {before.get(key)!r}, now {now.get(key)!r}" for key in keys if before.get(key) != now.get(key)]


def _moved(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    new = [f"{key} is new" for key in sorted(set(now) - set(before))]
    gone = [f"{key} is gone" for key in sorted(set(before) - set(now))]
    changed = [f"{key} changed" for key in sorted(set(before) & set(now)) if before[key] != now[key]]
    told = changed + new + gone
    return [*told[:MAX_TOLD], f"and {len(told) - MAX_TOLD} more"] if len(told) > MAX_TOLD else told
