"""Whether an answer stands where it has to and nowhere else: read back, among the options, not in the instruction.

In: rendered pairs, or masked phrasings. Out: (rule, what is wrong).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.setting import Setting
from instruction_kit.review.finding import Flaw
from instruction_kit.review.masked import MARK, Masked
from instruction_kit.schema.field import Free, Label
from instruction_kit.task.task import Task
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE
from instruction_kit.template.style import answers
from instruction_kit.template.template import Template

MIN_WORDS = 3
"""A free answer of fewer words may well stand in its text."""
MIN_ROWS = 5
"""Of fewer rows, all may be so by chance."""


def pair_flaws(pair: Pair, template: Template, setting: Setting, task: Task) -> Iterator[Flaw]:
    """What is wrong with the answer of one pair; an inverted one has none."""
    if pair.answer_start is None:
        return
    said = pair.completion[pair.answer_start : pair.answer_end]
    if (read := template.extract(pair.completion)) != said:
        yield Flaw("not_read_back", f"answers {said!r}, and what is read back from its output is {read!r}")
    if not task.has_options:
        return
    style = Listing().style_of(template)
    listed = setting.options and template.shows_options
    if said not in [text.strip() for text in answers(pair.options, style, listed=listed)]:
        yield Flaw("not_an_option", f"answers {said!r}, which is none of the options")
    if listed and (hidden := [word for word in pair.options if word not in pair.prompt]):
        yield Flaw("option_not_listed", f"does not list the option {hidden[0]!r}")


def leaks(said: Masked, template: Template, task: Task) -> Iterator[Flaw]:
    """Whether a prompt shows what it asks for."""
    if template.inverted:
        if shown := sorted(said.asked & said.shown - {OPTIONS, ANSWER}):
            yield Flaw("leak", f"shows {shown[0]} in its prompt, and asks for it", shown[0])
        return
    target = task.schema.target
    if isinstance(target, Label):
        words = [template.front.answers.get(c, w) for c, w in zip(task.classes, task.words, strict=True)]
        named = [word for word in words if _stands(word, MARK.sub("", said.prompt))]
        if len(named) == 1 < len(words):
            yield Flaw("leak", f"names {named[0]!r} in its prompt, and none of the other answers", named[0])


def _stands(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


def copied_answers(examples: Sequence[Mapping[str, object]], task: Task) -> str:
    """The field that holds the whole answer of every example, where one does; extracts are shorter or rarer."""
    target = task.schema.target
    if not isinstance(target, Free) or len(examples) < MIN_ROWS:
        return ""
    others = [name for name in task.columns if name not in task.schema.target_fields() | {RATIONALE}]
    for name in others:
        if all(_holds(example[name], example[target.field]) for example in examples):
            return name
    return ""


def _holds(value: object, answer: object) -> bool:
    texts = answer if isinstance(answer, list) else [answer]
    return isinstance(value, str) and any(len(str(t).split()) >= MIN_WORDS and str(t) in value for t in texts)
