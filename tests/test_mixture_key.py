"""Every key of a mixture has an effect, or a test that shows what else it does."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import claims, contents, phrasings, verdicts

from instruction_kit import ExamplesProportional, Mixture
from instruction_kit.errors import InstructionKitError, MixtureError
from instruction_kit.mixture import Budget

JUDGES = "judging"
SMALL: dict[str, Any] = {"num_validation": 3, "num_held_out": 4, "hold_out": [JUDGES], "seed": 0}
EFFECTS: dict[str, Any] = {
    "tasks": None,
    "hold_out": ["held"],
    "rates": ExamplesProportional(maximum=5),
    "num_examples_per_task": 6,
    "num_pairs": 7,
    "settings": {"zero_shot.no_options": 1.0},
    "phrasings": 2,
    "option_styles": ["letter"],
    "option_order": "source",
    "joiner": " ",
    "budget": Budget(characters=100),
    "num_validation": 2,
    "num_held_out": 2,
    "held_out_settings": ["zero_shot.no_options"],
    "held_out_wording": "fields",
    "wording": "name",
    "num_templates": 1,
    "num_tokens": 90,
    "num_examples_per_phrasing": 2,
    "seed": 1,
}
"""Keys that show in the pairs, each with another value."""
ELSEWHERE = {
    "find_overlap": "test_nobody_looks_where_that_is_asked_for",
    "drop_overlap": "test_such_rows_are_taken_out_and_counted_where_that_is_asked_for",
    "drop_duplicates": "test_copies_are_taken_out_and_counted_where_that_is_asked_for",
    "paths": "test_a_later_folder_overrides_an_earlier_one",
    "licenses": "test_only_tasks_under_these_licences_stay",
    "exclude_licenses": "test_no_task_under_these_licences_stays",
    "languages": "test_only_tasks_in_these_languages_stay",
    "parts": "test_pairs_are_divided_by_the_weights_of_the_parts_and_within_them_by_their_rates",
    "may_leave": "test_families_still_leave_with_what_the_rotation_holds_out",
    "rotation": "test_families_still_leave_with_what_the_rotation_holds_out",
    "order": "test_clusters_and_tasks_come_in_the_order_that_is_named",
    "num_clusters": "test_clusters_and_tasks_come_in_the_order_that_is_named",
    "num_tasks": "test_clusters_and_tasks_come_in_the_order_that_is_named",
    "num_tasks_per_cluster": "test_clusters_and_tasks_come_in_the_order_that_is_named",
    "data": "test_the_samples_are_read_only_where_they_are_asked_for",
    "data_dir": "test_data_dir_says_where_files_lie_and_enters_nothing_that_is_written",
    "exemplars": "test_every_key_of_exemplars_changes_what_is_built",
    "only": "test_only_the_held_out_side_is_the_held_out_side_of_the_whole",
    "max_repeats": "test_more_repeats_than_allowed_are_an_error_that_names_the_tasks",
}
"""Keys that show otherwise, each with the test that shows it."""


def small(paths: Path, **options: Any) -> Mixture:
    long = claims(20).with_columns(pl.format("{} {}", "claim", pl.lit("And so on. " * 4)).alias("claim"))
    trained, held = verdicts(long, name="trained", cluster="weighing"), verdicts(claims(9), name="held", cluster=JUDGES)
    more = [verdicts(claims(4), name="more", cluster=JUDGES)]
    return Mixture(**{"tasks": [trained, held, *more], "paths": [paths], **SMALL, **options})


def test_every_key_is_known_to_one_of_these_tests():
    assert set(EFFECTS) | set(ELSEWHERE) == set(Mixture.model_fields)
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_mixture*.py"))
    assert [name for name in ELSEWHERE.values() if f"\ndef {name}(" not in tests] == []


def test_every_key_changes_what_is_built(tmp_path):
    paths = phrasings(tmp_path)
    EFFECTS["tasks"] = small(paths).tasks[:2]
    said = {name: files_of(tmp_path / name, small(paths, **{name: value})) for name, value in EFFECTS.items()}
    plain = files_of(tmp_path / "plain", small(paths))
    assert [name for name, files in said.items() if files == plain] == []
    assert files_of(tmp_path / "no effect", small(paths, max_repeats=9)) == plain


def test_every_key_of_exemplars_changes_what_is_built(tmp_path):
    paths = phrasings(tmp_path)
    shown = {"settings": {"few_shot.options": 1}}
    plain = files_of(tmp_path / "plain", small(paths, **shown))
    for name, value in {"num": 3, "balance": "label"}.items():
        assert files_of(tmp_path / name, small(paths, **shown, exemplars={name: value})) != plain
    with pytest.raises(MixtureError, match=r"^settings: no task .* has anything to show exemplars from"):
        small(paths, **shown, exemplars={"source": "file"}).check()


def files_of(out: Path, mixture: Mixture) -> dict[str, bytes]:
    """The pairs, without the manifest, which tells every key anyway."""
    mixture.build(out)
    return {name: data for name, data in contents(out).items() if name.endswith(".parquet")}


def test_a_later_folder_overrides_an_earlier_one(tmp_path):
    first = phrasings(tmp_path / "first", {"verdict/ask": "First: {{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    second = phrasings(tmp_path / "second", {"verdict/ask": "Second: {{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    mixture = Mixture(tasks=[verdicts(claims(9))], paths=[first, second], num_validation=0)
    prompts = mixture.dataset()["train"]["train"]["prompt"]
    assert {prompt.split(":")[0] for prompt in prompts} == {"Second"}
    with pytest.raises(MixtureError, match=r"^paths: .*nowhere: does not exist"):
        _ = Mixture(paths=[tmp_path / "nowhere"]).folders


def test_the_samples_are_read_only_where_they_are_asked_for(tmp_path):
    task = tmp_path / "tasks" / "judging" / "lines.py"
    task.parent.mkdir(parents=True)
    task.write_text(
        "from instruction_kit import Files, Task, labels\n"
        "from instruction_kit.schema import Classification\n"
        "task = Task(schema=Classification, source=Files({'train': 'lines.jsonl'}),\n"
        "            columns={'text': 'text', 'label': labels('label', ['no', 'yes'])})\n",
        encoding="utf-8",
    )
    task.with_name("lines.jsonl").write_text('{"text": "source", "label": 0}\n', encoding="utf-8")
    mixture = Mixture(tasks=["lines"], paths=[tmp_path], num_validation=0)
    assert "source" in mixture.dataset()["train"]["train"]["prompt"][0]
    with pytest.raises(InstructionKitError, match=r"lines\.sample\.jsonl: the task has no sample"):
        mixture.model_copy(update={"data": "sample"}).dataset()
    sample = '{"text": "sample", "label": 1, "_split": "train"}\n'
    task.with_name("lines.sample.jsonl").write_text(sample, encoding="utf-8")
    assert "sample" in mixture.model_copy(update={"data": "sample"}).dataset()["train"]["train"]["prompt"][0]
    task.with_name("lines.jsonl").unlink()
    with pytest.raises(InstructionKitError, match=r"lines\.jsonl: no such file"):
        Mixture(tasks=["lines"], paths=[tmp_path]).dataset()  # never a silent fallback


def test_data_dir_says_where_files_lie_and_enters_nothing_that_is_written(tmp_path):
    task = tmp_path / "mine" / "tasks" / "judging" / "lines.py"
    task.parent.mkdir(parents=True)
    task.write_text(
        "from instruction_kit import Files, Task, labels\n"
        "from instruction_kit.schema import Classification\n"
        "task = Task(schema=Classification, source=Files({'train': 'sub/lines.jsonl'}),\n"
        "            columns={'text': 'text', 'label': labels('label', ['no', 'yes'])})\n",
        encoding="utf-8",
    )
    rows = "".join(f'{{"text": "line {number}", "label": {number % 3}}}\n' for number in range(12))
    for place in ("here", "there"):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "sub" / "lines.jsonl").write_text(rows, encoding="utf-8")
    mixture = Mixture(tasks=["lines"], paths=[tmp_path / "mine"])
    fingerprints = {
        mixture.with_data_dir(tmp_path / place).build(tmp_path / f"out {place}").fingerprint
        for place in ("here", "there")
    }
    assert len(fingerprints) == 1
    files = [path for place in ("here", "there") for path in sorted((tmp_path / f"out {place}").rglob("*.*"))]
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in files)
    with pytest.raises(InstructionKitError, match=r"lines\.jsonl: no such file"):
        mixture.build(tmp_path / "none")
