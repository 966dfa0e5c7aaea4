"""Whether a task file of the library says where its data come from, and what holds of them.

In: a task. Out: findings. Of one's own tasks none of this is asked.
"""

import re
from collections.abc import Iterator

from instruction_kit.review.finding import Finding, of_task
from instruction_kit.source import Hub
from instruction_kit.task.task import Task

_FIRST_LINE = re.compile(r'""".+[?.] .+ \d{4}.*, https://\S+"""')
"""As in `SNLI: does a caption entail another? Bowman et al. 2015, https://aclanthology.org/D15-1075`."""
_LICENSE = re.compile(r"^\s+license=", re.MULTILINE)
"""A license that was left out is `unknown` too, and nobody would have looked for it."""


def origin_findings(task: Task) -> Iterator[Finding]:
    """What a task file leaves open."""
    if task.path is None:
        return
    text = task.path.read_text(encoding="utf-8")
    if not _FIRST_LINE.fullmatch(text.partition("\n")[0]):
        told = 'the first line is no `"""Name: what is asked? Authors year, https://link"""`'
        yield Finding(str(task.path), 1, "origin", told)
    for key in ("families", "languages", "metrics"):
        if not getattr(task, key):
            yield of_task(task, "origin", f"{key} is empty")
    if not _LICENSE.search(text):
        yield of_task(task, "origin", "states no license; write `unknown` where nobody says")
    if isinstance(task.source, Hub) and not task.source.revision:
        yield of_task(task, "origin", "its source states no revision")
    if lacking := [split for split in task.source.split_names if split not in task.sizes]:
        yield of_task(task, "origin", f"sizes lacks {', '.join(lacking)}")
