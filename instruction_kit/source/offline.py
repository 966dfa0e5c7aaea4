"""The copy of a repository in the offline cache: of the very revision and folder that were asked for.

In: what a `Hub` states. Out: a builder over that copy, or None. Left alone, `datasets` takes the copy that was cached
last, and does not find one that was made of a folder of a repository, whose name in the cache is a hash. Here the
commit has to be the one that the revision meant when it was last seen, and of a folder the copy has to be of all its
files.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def is_copy(builder: Any) -> bool:
    """Whether `datasets` could not reach the hub and took a cached copy."""
    return type(builder).__module__ == "datasets.packaged_modules.cache.cache"


def commit_of(id: str, revision: str | None) -> str:  # noqa: A002 - the hub's own word
    """The commit that a branch or tag was when it was last seen; what was never seen is taken for a commit."""
    asked = revision or "main"
    known = _repository(id) / "refs" / asked
    return known.read_text(encoding="utf-8").strip() if known.is_file() else asked


def copy_of(id: str, *, config: str | None, revision: str | None, data_dir: str | None) -> Any | None:  # noqa: A002
    """A builder over the one copy in the cache that is what was asked for."""
    from datasets.packaged_modules.cache.cache import Cache

    commit = commit_of(id, revision)
    found = [copy for copy in _copies(id, commit) if _is_asked(copy, config, _size(id, commit, data_dir))]
    if len(found) != 1:
        return None
    version, config_id = found[0].parent.name, found[0].parent.parent.name
    return Cache(repo_id=id, dataset_name=id.partition("/")[2], config_name=config_id, version=version, hash=commit)


def _repository(id: str) -> Path:  # noqa: A002 - the hub's own word
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"datasets--{id.replace('/', '--')}"


def _copies(id: str, commit: str) -> Iterator[Path]:  # noqa: A002 - the hub's own word
    from datasets.config import HF_DATASETS_CACHE
    from datasets.naming import camelcase_to_snakecase

    namespace, name = id.split("/")
    root = Path(HF_DATASETS_CACHE) / f"{namespace}___{camelcase_to_snakecase(name)}"
    return (path.parent for path in root.glob(f"*/*/{commit}/dataset_info.json"))


def _is_asked(copy: Path, config: str | None, size: int | None) -> bool:
    """Of a whole repository the copy bears the name of its config; of a folder it is as large as the folder's files."""
    told = json.loads((copy / "dataset_info.json").read_text(encoding="utf-8"))
    config_id = copy.parent.parent.name
    if size is None:
        return config_id == told["config_name"] and config in (None, config_id)
    return config_id.startswith(f"{config or 'default'}-") and told["download_size"] == size


def _size(id: str, commit: str, data_dir: str | None) -> int | None:  # noqa: A002 - the hub's own word
    """Bytes of the files of a folder that were fetched; a part of them makes no copy of that size."""
    if data_dir is None:
        return None
    folder = _repository(id) / "snapshots" / commit / data_dir
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
