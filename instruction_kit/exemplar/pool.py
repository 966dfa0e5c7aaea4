"""The rows that may be exemplars of one task, and which of them may stand before one question, in which order.

In: a pool and a question. Out: places in the pool, by rendezvous between the question's key and the hashes
of the pool's rows, so that one more row in the pool changes only the prompts that take it. Neither the row itself is
offered, nor one with the same input, nor two with one input.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

import numpy as np

from instruction_kit import choice
from instruction_kit.schema.field import Label
from instruction_kit.schema.schema import Schema
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template

Example = Mapping[str, Any]


@dataclass(frozen=True)
class Pool:
    """Solved examples, each under the name of its row."""

    rows: tuple[str, ...]
    hashes: choice.Keys
    examples: tuple[Example, ...]
    _inputs: dict[tuple[str, ...], list[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def named(cls, examples: Mapping[str, Example]) -> "Pool":
        """All of these, each under its name."""
        return cls(tuple(examples), choice.row_hashes([*examples]), tuple(examples.values()))

    def where(self, kept: Sequence[bool]) -> "Pool":
        """Some of it."""
        places = [place for place, keep in enumerate(kept) if keep]
        return Pool(
            tuple(self.rows[place] for place in places),
            self.hashes[places],
            tuple(self.examples[place] for place in places),
        )

    def inputs(self, fields: tuple[str, ...]) -> list[str]:
        """What each example says in these fields; kept, since every question asks it."""
        if fields not in self._inputs:
            self._inputs[fields] = [said(example, fields) for example in self.examples]
        return self._inputs[fields]


def input_fields(template: Template, schema: type[Schema]) -> tuple[str, ...]:
    """Fields that a phrasing prints and that are not the answer; all of the schema's where it prints none.

    A row's own options are a part of its input: a question such as `which of these?` says nothing without them.
    """
    options = getattr(schema.target, "options", None)
    inputs = [name for name in schema.model_fields if name == options or name not in schema.target_fields()]
    inputs = [name for name in inputs if name not in (RATIONALE, schema.turns_field())]
    return tuple(name for name in inputs if name in template.reads) or tuple(inputs)


def said(example: Example, fields: Sequence[str]) -> str:
    r"""What an example says in some fields, whatever its case, its blanks and the code points that spell a letter; of a
    list, in whatever order.

    >>> said({"text": " One\n two", "options": ["b", "A"]}, ["text", "options"])
    'one two\x1fa\x1eb'
    """
    return "\x1f".join(_flat(example.get(name)) for name in fields)


def _flat(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\x1e".join(sorted(_flat(item) for item in value))
    return "" if value is None else " ".join(normalize("NFKC", str(value)).casefold().split())


def offered(
    pool: Pool,
    *,
    key: np.uint64,
    row: str | None,
    question: Example,
    fields: tuple[str, ...],
    balanced: str | None,
    alike: str | None = None,
) -> Iterator[tuple[int, int]]:
    """Rank and place of the exemplars for one question, those to take first coming first; they stand by rank.

    Neither the order in which classes come in turn nor the rank by which they are taken says where balanced ones stand:
    the one would tell the next class, the other would always put rare classes last.

    Args:
        pool: where they come from.
        key: the question's own for this choice.
        row: its name, if it is of the split that the pool is of.
        question: its fields.
        fields: in which no two may say the same.
        balanced: a field whose values come in turn, as even as the pool allows.
        alike: a field in which they say the same as the question.

    """
    fresh = _fresh(pool, key, row, said(question, fields), pool.inputs(fields))
    if alike is not None:
        theirs, own = pool.inputs((alike,)), said(question, (alike,))
        fresh = (place for place in fresh if theirs[place] == own)
    if balanced is None:
        yield from enumerate(fresh)
        return
    order, stands = list(fresh), np.argsort(choice.ranked(key, pool.hashes, "stand"))
    for rank in _in_turn([pool.examples[place][balanced] for place in order]):
        yield int(stands[order[rank]]), order[rank]


def _fresh(pool: Pool, key: np.uint64, row: str | None, asked: str, inputs: Sequence[str]) -> Iterator[int]:
    """Places by rendezvous, without those of the row itself and of inputs that were there."""
    taken = {asked}
    for place in choice.ranked(key, pool.hashes, "exemplar").tolist():
        if pool.rows[place] != row and inputs[place] not in taken:
            taken.add(inputs[place])
            yield place


def _in_turn(classes: Sequence[str]) -> list[int]:
    """The best of each class, then the second best of each, and so on.

    >>> _in_turn(["a", "a", "b", "a", "b"])
    [0, 2, 1, 4, 3]
    """
    count: Counter[str] = Counter()
    turns = []
    for rank, name in enumerate(classes):
        turns.append((count[name], rank))
        count[name] += 1
    return [rank for _, rank in sorted(turns)]


def balanced_field(schema: type[Schema]) -> str | None:
    """What can be balanced: the classes of a task that has some."""
    return schema.target.field if isinstance(schema.target, Label) else None
