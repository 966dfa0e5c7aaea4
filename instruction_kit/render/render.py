"""One example through one template: the reference, row by row through Jinja itself.

In: an example's fields, a template, a setting. Out: a `Pair`, or a `RowProblem` that says why this row cannot stand in
this phrasing. Too long is settled here and nowhere later: fields that may be shortened are, the question, the options,
the instruction, what was said before and the output never are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair, group_of
from instruction_kit.render.setting import Setting
from instruction_kit.render.turns import as_text
from instruction_kit.schema.field import Choice, Free, Label
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE
from instruction_kit.template.style import Style, answers, block
from instruction_kit.template.template import Template

TOO_LONG = "too long for the budget"
EMPTY_PROMPT, EMPTY_OUTPUT = "its prompt is empty", "its output is empty"
NOT_FOUND_AGAIN = "its answer or rationale holds the words by which the answer is found again"
MIN_KEPT_CHARS = 40
"""A field is never shortened below this: what is left must still be a text."""

Example = Mapping[str, Any]


class TooLong(RowProblem):
    """It does not fit the budget, however its fields are shortened."""

    def __init__(self) -> None:
        super().__init__(TOO_LONG)


_AS_GIVEN = Listing()


@dataclass(frozen=True)
class Prompting:
    """What a mixture fixes for all its prompts."""

    joiner: str = "\n"
    budget: int | None = None
    """For a prompt with its longest output, in what `size` counts."""
    size: Callable[[str], int] = len
    """Of a text: its characters, or its tokens."""
    before: str = ""
    """Stands whole before the prompt, and counts."""
    may_shorten: bool = True
    """Whether fields may be shortened, or the whole is too long as it is."""

    def after(self, text: str) -> "Prompting":
        """The same behind a further text that stands whole."""
        return replace(self, before=self.before + text) if text else self


@dataclass(frozen=True)
class _Answers:
    options: list[str]
    """Words of the options, in the order in which they are listed."""
    outputs: list[str]
    """How each option is answered; without options, every right text."""
    style: Style
    gold: list[int]
    """Which of the options are right; options with equal words are right together."""

    @property
    def right(self) -> list[str]:
        """Every right answer, in the row's order."""
        return list(dict.fromkeys(self.outputs[index] for index in self.gold)) if self.options else self.outputs


def render(
    example: Example,
    *,
    template: Template,
    setting: Setting,
    task: Task,
    prompting: Prompting,
    measured: bool = False,
    reference: int = 0,
    listing: Listing = _AS_GIVEN,
) -> Pair:
    """Render one example, with the completion that `reference` says where several texts are right.

    Raises:
        RowProblem: the row cannot stand in this phrasing: it lacks a field that is printed, its answer holds the
            marker by which the answer is found again, or it is too long.

    """
    known = _answers(example, template, setting, task, listing)
    values = {**example, OPTIONS: block(known.options, known.style) if setting.options else ""}
    if measured and template.cot and not values.get(RATIONALE):
        values[RATIONALE] = ""  # the model is to write it; what the row says is the answer
    turns = example.get(task.schema.turns_field() or "") or None
    said = as_text(turns or [], prompting.joiner)
    pair = _fitted(values, known, template, prompting.after(said), reference)
    group = group_of(example, task.schema)
    pair = replace(pair, prompt=said + pair.prompt, question_start=len(said), turns=turns, group=group)
    if not measured or not task.has_options or template.inverted or template.cot:
        return pair
    return replace(pair, candidates=[_output(template, values, text) for text in known.outputs], gold=known.gold)


def _answers(example: Example, template: Template, setting: Setting, task: Task, listing: Listing) -> _Answers:
    target, style = task.schema.target, listing.style_of(template)
    if isinstance(target, Free):
        value = example[target.field]
        return _Answers([], list(value) if isinstance(value, list) else [value], style, [])
    own = _words(example, template, task, target)
    order = range(len(own)) if listing.order is None else listing.order
    words = [own[place] for place in order]
    outputs = answers(words, style, listed=setting.options and template.shows_options)
    answer = example[target.answer] if isinstance(target, Choice) else task.classes.index(example[target.field])
    right = list(order).index(answer)
    same = [index for index, text in enumerate(words) if text == words[right] and index != right]
    return _Answers(words, outputs, style, [right, *same])


def _words(example: Example, template: Template, task: Task, target: Label | Choice) -> list[str]:
    if isinstance(target, Choice):
        return list(example[target.options])
    said = template.front.answers
    return [said.get(name, word) for name, word in zip(task.classes, task.words, strict=True)]


def _output(template: Template, values: Mapping[str, Any], answer: str) -> str:
    marker = template.place.marker if template.place else ""
    if marker and ((marker + answer).rfind(marker) > 0 or marker in (values.get(RATIONALE) or "")):
        raise RowProblem(NOT_FOUND_AGAIN)
    text = template.output({**values, ANSWER: answer})
    if not text:
        raise RowProblem(EMPTY_OUTPUT)
    return text


def _once(values: Mapping[str, Any], known: _Answers, template: Template, joiner: str, reference: int) -> Pair:
    trained = known.right[reference]
    prompt = template.prompt({**values, ANSWER: trained})
    if not prompt:
        raise RowProblem(EMPTY_PROMPT)
    completion = _output(template, values, trained)
    start, end = _answer_span(template, completion, trained)
    right = [completion] if template.inverted else [_output(template, values, text) for text in known.right]
    return Pair(prompt + joiner, completion, 0, start, end, known.options, list(dict.fromkeys(right)))


def _answer_span(template: Template, completion: str, answer: str) -> tuple[int | None, int | None]:
    """Without the blanks at the answer's own edges; where nothing follows it, trimming has taken those at its end."""
    if template.place is None:
        return None, None
    end = len(completion) - len(template.place.tail)
    said = answer if template.place.tail else answer.rstrip()
    return end - len(said.lstrip()), end - len(said) + len(said.rstrip())


def _fitted(
    values: Mapping[str, Any], known: _Answers, template: Template, prompting: Prompting, reference: int
) -> Pair:
    pair = _once(values, known, template, prompting.joiner, reference)
    if prompting.budget is None:
        return pair
    cut, current, size = 0, dict(values), prompting.size
    longest = max(size(_output(template, values, text)) for text in known.outputs)
    while (over := size(prompting.before + pair.prompt) + longest - prompting.budget) > 0:
        field = _longest(current, template) if prompting.may_shorten else None
        if field is None:
            raise TooLong
        text = current[field]
        kept = _shorter(text, over * len(text) // max(1, size(text)))
        cut += len(current[field]) - len(kept)
        current[field] = kept
        pair = _once(current, known, template, prompting.joiner, reference)
    return replace(pair, shortened=cut)


def _longest(values: Mapping[str, Any], template: Template) -> str | None:
    """The longest field that may still be shortened: printed in the prompt, not in the output."""
    fields = [name for name in _shortenable(values, template) if len(values[name]) > MIN_KEPT_CHARS]
    return max(fields, key=lambda name: (len(values[name]), name), default=None)


def _shortenable(values: Mapping[str, Any], template: Template) -> Sequence[str]:
    marked = [name for name in template.shortenable if isinstance(values.get(name), str)]
    return [name for name in marked if name not in template.output_reads and name in template.reads]


def _shorter(text: str, over: int) -> str:
    """Cut at least `over` characters off the end, back to the end of a word, and say so with an ellipsis."""
    limit = max(MIN_KEPT_CHARS - 2, len(text) - over - 2)
    head = text[:limit]
    words = head.rsplit(None, 1)
    cut = words[0] if len(words) == 2 and len(words[0]) > limit // 2 else head
    return f"{cut.rstrip()} …"
