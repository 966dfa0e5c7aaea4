"""Which of several right texts a row is trained on: a choice by hash, another in each round.

In: rows of one task with their hashes. Out: for each row a place among its right texts. A further text takes only its
own share; measured rows are not asked, they keep their first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from instruction_kit import choice
from instruction_kit.schema.field import Free
from instruction_kit.task.task import Task


def drawn_references(
    task: Task, hashes: choice.Keys, values: Sequence[Mapping[str, Any]], *, split: str, seed: int, turn: int
) -> list[int]:
    """Draw for one round; 0 for tasks whose rows have one answer."""
    target = task.schema.target
    if not isinstance(target, Free) or not values or isinstance(values[0][target.field], str):
        return [0] * len(values)
    texts = [value[target.field] for value in values]
    return [int(place) for place in choice.favourite(hashes, texts, seed, "reference", task.name, split, turn)]
