"""A question behind its exemplars, within the budget.

In: a question to render, its exemplars and how they stand. Out: one pair. Where the whole is too long, exemplars go
first, from the front; behind the last of them the question's own fields are shortened. A pair that keeps no exemplar is
none: its row takes another setting, or is counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from instruction_kit.exemplar.arrangement import Arrangement, Shown
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, TooLong
from instruction_kit.template.environment import RowProblem

NONE_LEFT = "no exemplar: no other row that it may be shown has another input and stands in this phrasing"
CONVERSATION = "no exemplar: it goes on with a conversation, which exemplars would break"


def behind(
    shown: Sequence[Shown], ask: Callable[[Prompting], Pair], *, arrangement: Arrangement, prompting: Prompting
) -> Pair:
    """Render the question behind as many of its exemplars as the budget allows.

    Raises:
        RowProblem: there is no exemplar, the question cannot be rendered, or both do not fit.

    """
    for first in range(len(shown)):
        kept = shown[first:]
        head = arrangement.text(kept)
        left = replace(prompting.after(head), may_shorten=len(kept) == 1)
        try:
            question = ask(left)
        except TooLong:
            if len(kept) == 1:
                raise
            continue
        if question.turns:
            raise RowProblem(CONVERSATION)
        exemplars = [one._asdict() for one in kept]
        return replace(
            question, prompt=head + question.prompt, question_start=len(head), exemplars=exemplars, dropped=first
        )
    raise RowProblem(NONE_LEFT)
