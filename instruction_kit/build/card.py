"""The dataset card of a built folder: what `load_dataset` needs, then what a reader wants to know.

In: a manifest. Out: the text of README.md.
"""

from collections.abc import Iterator, Mapping

import yaml

from instruction_kit.build.manifest import Manifest


def card(manifest: Manifest) -> str:
    """Write the card. Configs and splits without rows are left out of it; the manifest says 0."""
    head = yaml.safe_dump({"configs": list(_configs(manifest))}, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n" + "\n".join(_body(manifest)) + "\n"


def _configs(manifest: Manifest) -> Iterator[dict[str, object]]:
    for config in ("train", "held_out", "rejected", "overlap", "duplicates"):
        splits = [split for split, rows in manifest.splits.get(config, {}).items() if rows]
        if splits:
            files = [{"split": split, "path": f"{config}/{split}-*.parquet"} for split in splits]
            yield {"config_name": config, "data_files": files, **({"default": True} if config == "train" else {})}


def _body(manifest: Manifest) -> Iterator[str]:
    yield "# Instruction mixture"
    yield ""
    made_by = f"Instruction Kit {manifest.versions['instruction-kit']}"
    yield f"Built by {made_by} (fingerprint `{manifest.fingerprint[:16]}`)."
    yield ""
    yield "## Rows"
    yield ""
    yield "| config | split | rows |"
    yield "|---|---|---:|"
    for config, splits in manifest.splits.items():
        yield from (f"| {config} | {split} | {rows:,} |" for split, rows in splits.items())
    yield ""
    yield "## Tasks"
    yield ""
    yield "| task | cluster | role | share expected | share realised | rounds | licence |"
    yield "|---|---|---|---:|---:|---:|---|"
    for name, task in manifest.tasks.items():
        shares = (f"{task.expected_share:.2%}", f"{task.realised_share:.2%}") if task.role == "train" else ("", "")
        yield f"| {name} | {task.cluster} | {task.role} | {shares[0]} | {shares[1]} | {task.rounds} | {task.license} |"
    yield ""
    if manifest.shares:
        yield from _shares(manifest)
    if manifest.overlap:
        yield ""
        yield from _overlap(manifest)
    if manifest.duplicates:
        yield ""
        yield from _duplicates(manifest)
    if manifest.left:
        yield ""
        yield "Left out: " + "; ".join(f"{name} ({why})" for name, why in manifest.left.items()) + "."
    yield ""
    yield "## Rebuild"
    yield ""
    yield "Save this as `mixture.yaml`, add `paths` and `data_dir` of your own where the tasks need them, and run"
    yield "`instruction-kit build mixture.yaml OUT`. The same data and code give the same bytes."
    yield ""
    yield "```yaml"
    yield yaml.safe_dump(manifest.mixture, sort_keys=False, allow_unicode=True).rstrip()
    yield "```"


def _shares(manifest: Manifest) -> Iterator[str]:
    yield "Training pairs, and tokens at four bytes each; expected before any was rendered, and written:"
    yield ""
    yield "| by | name | pairs expected | pairs | tokens expected | tokens |"
    yield "|---|---|---:|---:|---:|---:|"
    for share in manifest.shares:
        if share.by != "task":
            tokens = "" if share.expected_tokens is None else f"{share.expected_tokens:,.0f}"
            numbers = (f"{share.expected_pairs:,.0f}", f"{share.pairs:,}", tokens, f"{share.tokens:,.0f}")
            yield f"| {share.by} | {share.name} | {' | '.join(numbers)} |"


def _overlap(manifest: Manifest) -> Iterator[str]:
    what = "were taken out" if manifest.mixture["drop_overlap"] else "are trained on"
    yield f"Training rows that share text with held-out rows; they {what}, and the config `overlap` names them:"
    yield ""
    yield from _counted("held out", "trained", manifest.overlap)


def _duplicates(manifest: Manifest) -> Iterator[str]:
    yield "Training rows that are copies of others were taken out; the config `duplicates` names both:"
    yield ""
    yield from _counted("trained", "copies of", manifest.duplicates)


def _counted(one: str, other: str, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[str]:
    """A line for each pair of tasks: the rows of the one that share text with rows of the other, by the way found."""
    yield f"| {one} | {other} | rows | how |"
    yield "|---|---|---:|---|"
    for task, others in counts.items():
        for beside, kinds in others.items():
            how = ", ".join(f"{kind} {rows:,}" for kind, rows in kinds.items())
            yield f"| {task} | {beside} | {sum(kinds.values()):,} | {how} |"
