"""Whether an answer stands where it has to and nowhere else: read back, among the options, not in the instruction.

In: rendered pairs, or masked phrasings. Out: (rule, what is wrong).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.setting import Setting
from instruction_kit.review.finding import Flaw
from instruction_kit.review.masked import MARK, Masked
from instruction_kit.schema.field import Free, Label
from instruction_kit.task.task import Task
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE
from instruction_kit.template.style import answers, items
from instruction_kit.template.template import Template

MIN_WORDS = 3
"""A free answer of fewer words may well stand in its text."""
MAX_TEXTS = 2
"""An output that is right of more texts is like a class."""
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
    named = [text.strip() for text in answers(pair.options, style, listed=listed)]
    if said not in named:
        yield Flaw("not_an_option", f"answers {said!r}, which is none of the options")
    if listed:
        shown = [item in pair.prompt for item in items(pair.options, style)]
        if said in named and not shown[named.index(said)]:
            yield Flaw("not_an_option", f"answers {said!r}, which is not among the options as its prompt lists them")
        elif not all(shown):
            yield Flaw("option_not_listed", f"does not list the option {pair.options[shown.index(False)]!r}")


def common_outputs(pairs: Iterable[Pair]) -> frozenset[str]:
    """Outputs of so many texts that they say no more of one than a class does, as `I don't know.` may."""
    about: dict[str, set[str]] = {}
    for pair in pairs:
        about.setdefault(pair.completion, set()).add(pair.group or pair.prompt)
    return frozenset(output for output, texts in about.items() if len(texts) > MAX_TEXTS)


def given_away(pair: Pair, template: Template, task: Task, common: Collection[str]) -> Iterator[Flaw]:
    """Whether an exemplar shows what is asked for; that it has the same class, or picks a like option, is no leak."""
    if pair.completion in common:
        return
    if template.inverted or template.cot:
        asked = pair.completion
    elif isinstance(task.schema.target, Free):
        asked = pair.completion[pair.answer_start : pair.answer_end]
    else:
        return
    if len(asked.split()) < MIN_WORDS or asked in pair.prompt[pair.question_start :]:
        return
    if same := [one["row"] for one in pair.exemplars if one["completion"] in pair.references]:
        yield Flaw("exemplar_leak", f"shows its output, {asked[:40]!r}, in the exemplar {same[0]}")


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
