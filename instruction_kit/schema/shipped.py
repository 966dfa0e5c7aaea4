"""The schemas that ship with the library. Users add their own with one class of the same kind."""

from typing import Annotated, Literal

from annotated_types import Len

from instruction_kit.schema.field import MAX_OPTIONS, Choice, Free, Label, LongText, Text
from instruction_kit.schema.schema import Schema


class NaturalLanguageInference(Schema):
    """Does the premise entail the hypothesis?"""

    target = Label("label")
    premise: LongText
    hypothesis: Text
    label: Literal["entailment", "neutral", "contradiction", "not_entailment"]
    """`not_entailment` is for two-way sets such as RTE, which merge the other two."""


class Classification(Schema):
    """Which of the task's classes does the text belong to (sentiment, topic, kind of question, …)?"""

    target = Label("label")
    text: LongText
    label: Text


class MultipleChoice(Schema):
    """Which of the row's own options answers the question?"""

    target = Choice(options="options", answer="answer")
    context: LongText | None = None
    question: Text
    options: Annotated[list[Text], Len(2, MAX_OPTIONS)]
    answer: int
    """0-based index into `options`."""


class ReadingComprehension(Schema):
    """What does the passage answer to the question?"""

    target = Free("answers")
    passage: LongText
    question: Text
    answers: Annotated[list[Text], Len(1)]
    """Equally right answers: one is drawn to be trained on, all are references."""


class Summarization(Schema):
    """What does the document say, in short?"""

    target = Free("summary")
    document: LongText
    summary: Text


class MathWordProblem(Schema):
    """What is the answer to the problem; `rationale` holds the worked solution."""

    target = Free("answer")
    question: Text
    answer: Text
