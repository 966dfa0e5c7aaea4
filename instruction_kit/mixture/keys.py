"""`Keys`: what a mixture says as a whole; the keys that may differ from task to task stand in `part.py`.

In: keyword arguments. Out: a frozen, checked description. What follows from the keys is worked out in `mixture.py` and
beside it; here stands what a key is, what it is where it is left out, and which keys contradict each other.
"""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from instruction_kit.mixture.filter import Filter
from instruction_kit.mixture.part import Part, misplaced
from instruction_kit.mixture.rate import Budget
from instruction_kit.mixture.value import Count, MeasuredSettings, Names, refused
from instruction_kit.template.fields import Wording


class Keys(Part):
    """The keys that hold for the whole mixture."""

    hold_out: tuple[str, ...] = ()
    """Clusters, tasks or families that are measured and never trained on."""
    rotation: Count | None = Field(None, ge=0)
    """Of every cluster of two tasks or more hold out one, too: the one whose turn it is."""
    paths: tuple[Path, ...] = ()
    """Folders with `tasks/` and `templates/` of the user's own; they add to and override the library."""
    data_dir: Path | None = None
    """What the relative paths of `Files` sources resolve against; enters no hash and no written file."""
    only: Literal["held_out"] | None = None
    """`held_out` builds what is measured and no training side: the same pairs, without reading what would train."""
    data: Literal["source", "sample"] = "source"
    """Read the sources, or the samples that lie beside the task files; never one in place of the other."""
    licenses: Names | None = None
    """Only tasks under one of these licences; None is any licence."""
    exclude_licenses: Names | None = None
    """No task under one of these licences."""
    languages: Names | None = None
    """Only tasks, and phrasings, that are in these languages alone; None is any language."""
    num_pairs: Count | None = Field(None, ge=1)
    """Training pairs in all, divided by the rates; None is one pass over the rows."""
    num_tokens: Count | None = Field(None, ge=1, validate_default=True)
    """Training tokens in all, four bytes each, in place of `num_pairs`: the rates divide these."""
    max_repeats: Count = Field(4, ge=1)
    """How often a row may be used, when `num_pairs` or `num_tokens` ask for more rows, or `phrasings` for more
    templates, than a task has."""
    joiner: str = Field("\n", min_length=1)
    """Ends every rendered prompt."""
    budget: Budget | None = None
    """How long a prompt with its output may be; None is any length."""
    num_validation: Count = Field(200, ge=0)
    """Rows of each training task that are measured and never trained on: of train at most a fifth,
    and a quarter of the rows that the task can use."""
    num_held_out: Count = Field(1_000, ge=1)
    """Measured rows of each held-out task."""
    held_out_settings: MeasuredSettings = ("zero_shot.options",)
    held_out_wording: Wording = "templates"
    """What words held-out pairs, as `wording` does those that are trained on."""
    find_overlap: bool = True
    """Look for training rows that share text with held-out rows, on the rows' own fields; they stand in `overlap/`."""
    drop_overlap: bool = False
    """Take such rows out before anything is drawn; each is counted."""
    drop_duplicates: Literal["none", "exact", "near"] = "none"
    """Take out training rows that are copies of others, of whatever task: all words the same, or nearly all."""
    seed: Count = Field(0, ge=0)

    @field_validator("exclude_licenses")
    @classmethod
    def _not_both(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if both := sorted({*(names or ())} & {*(info.data.get("licenses") or ())}):
            raise refused(f"{', '.join(both)} is among licenses too; take it out of one")
        return names

    @field_validator("num_tokens")
    @classmethod
    def _of_a_size(cls, num_tokens: int | None, info: ValidationInfo) -> int | None:
        """The last of the keys that say how much, so that it sees the others, as far as they can be read."""
        parts, rates, num_pairs = (info.data.get(key) for key in ("parts", "rates", "num_pairs"))
        wrong = [f"{key}: {why}" for key, why in misplaced(info.data).items()]
        if num_pairs and num_tokens:
            wrong.append("num_tokens: num_pairs says how much already; give one of the two")
        if not num_pairs and not num_tokens and "num_pairs" in info.data:
            why = "no counts of rows: give num_pairs or num_tokens"
            if parts:
                wrong.append(f"parts: their weights are {why}")
            elif rates and not rates.counts:
                wrong.append(f"rates: those of kind {rates.kind} are {why}")
        if wrong:
            raise refused("\n".join(wrong), keyed=True)
        return num_tokens

    @property
    def total(self) -> int | None:
        """What the rates divide, pairs or tokens; None under one pass."""
        return self.num_pairs if self.num_tokens is None else self.num_tokens

    @cached_property
    def filter(self) -> Filter:
        """What licences and languages may stay."""
        return Filter(self.licenses, self.exclude_licenses, self.languages)
