"""The schemas that ship with the library. Users add their own with one class of the same kind."""

from typing import Annotated, Literal

from annotated_types import Len

from instruction_kit.schema.field import MAX_OPTIONS, Choice, Free, Label, LongText, Text
from instruction_kit.schema.schema import Schema
from instruction_kit.schema.turn import Turn


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


class AnswerIfStated(Schema):
    """What does the passage answer to the question, if it answers it at all?"""

    target = Free("answers")
    passage: LongText
    question: Text
    answers: Annotated[list[Text], Len(1)]
    """Equally right answers; `unanswerable` where the passage has none."""


class AnswerCheck(Schema):
    """Is what somebody proposes a right answer to a question about the passage?"""

    target = Label("label")
    passage: LongText
    question: Text
    proposal: Text
    label: Literal["yes", "no"]


class Continuation(Schema):
    """Which of several endings goes on from the text?"""

    target = Choice(options="endings", answer="answer")
    text: LongText
    endings: Annotated[list[Text], Len(2, MAX_OPTIONS)]
    answer: int
    """0-based index into `endings`."""


class Completion(Schema):
    """How does the text go on?"""

    target = Free("endings")
    text: LongText
    endings: Annotated[list[Text], Len(1)]
    """Equally good ways to go on: a word, a sentence, a paragraph."""


class Summarization(Schema):
    """What does the document say, in short?"""

    target = Free("summaries")
    document: LongText
    form: Text | None = None
    """What is wanted, as it follows on `sum this up as`: a headline, a single sentence, …; none for a plain summary."""
    summaries: Annotated[list[Text], Len(1)]
    """Equally good summaries."""


class MathWordProblem(Schema):
    """What is the answer to the problem; `rationale` holds the worked solution."""

    target = Free("answer")
    question: Text
    answer: Text


class Paraphrase(Schema):
    """Do two sentences say the same?"""

    target = Label("label")
    sentence1: LongText
    sentence2: LongText
    label: Literal["paraphrase", "not_paraphrase"]


class DuplicateQuestion(Schema):
    """Do two questions ask for the same?"""

    target = Label("label")
    question1: Text
    question2: Text
    label: Literal["duplicate", "not_duplicate"]


class SentenceSimilarity(Schema):
    """How close in meaning are two sentences, from 0 (nothing in common) to 5 (the same)?"""

    target = Label("score")
    sentence1: LongText
    sentence2: LongText
    score: Literal["0", "1", "2", "3", "4", "5"]
    """Answer words in which the number stands can be correlated, whatever else they say."""


class WordInContext(Schema):
    """Does the word mean the same in both sentences?"""

    target = Label("sense")
    word: Text
    sentence1: Text
    sentence2: Text
    sense: Literal["same", "different"]


class Answerability(Schema):
    """Does the passage hold what answers the question?"""

    target = Label("label")
    passage: LongText
    question: Text
    label: Literal["answered", "not_answered"]


class BooleanQA(Schema):
    """Is the answer yes or no, by the passage if there is one?"""

    target = Label("label")
    passage: LongText | None = None
    question: Text
    label: Literal["yes", "no"]


class ClaimCheck(Schema):
    """Is the claim true, by what is generally known?"""

    target = Label("label")
    claim: Text
    label: Literal["true", "false"]


class ClosedBookQA(Schema):
    """What is the answer, from knowledge alone?"""

    target = Free("answers")
    question: Text
    answers: Annotated[list[Text], Len(1)]
    """Equally right answers."""


class Coreference(Schema):
    """What does the mention stand for in the text?"""

    target = Choice(options="options", answer="answer")
    text: LongText
    mention: Text
    """A pronoun as it stands in the text, or the blank `_`."""
    options: Annotated[list[Text], Len(2, MAX_OPTIONS)]
    answer: int
    """0-based index into `options`."""


class Translation(Schema):
    """What is the text in another language?"""

    target = Free("translations")
    text: LongText
    source_language: Text
    """An English word: `German`, not `de`."""
    target_language: Text
    translations: Annotated[list[Text], Len(1)]
    """Equally right translations."""


class StructToText(Schema):
    """What do the data say, as running text?"""

    target = Free("texts")
    data: Annotated[list[Text], Len(1)]
    """One fact or word each."""
    texts: Annotated[list[Text], Len(1)]
    """Equally good texts."""


class Dialogue(Schema):
    """What is said next?"""

    target = Free("responses")
    context: LongText | None = None
    """What the conversation is about: a passage, a setting."""
    turns: Annotated[list[Text], Len(1)]
    """What was said so far, oldest first, each with its speaker where the source names one."""
    responses: Annotated[list[Text], Len(1)]
    """Equally good next turns."""


class OpenInstruction(Schema):
    """Any instruction, with an input of its own or none, as the last turn of a conversation or by itself."""

    target = Free("output")
    instruction: Text
    """The last message of the user."""
    input: LongText | None = None
    output: Text
    """The last turn of the assistant."""
    turns: list[Turn] | None = None
    """What was said before the instruction, oldest first."""


class SequenceLabelling(Schema):
    """Which pieces of the text are of a kind that the task looks for?"""

    target = Free("spans")
    text: LongText
    kinds: list[Text] | None = None
    """What is looked for: person, place, …"""
    spans: Text
    """`piece: kind; piece: kind` in the order of the text, or `none`."""


class Rewriting(Schema):
    """How is the same said more simply, more fluently or in other words?"""

    target = Free("rewrites")
    text: LongText
    manner: Text | None = None
    """What is wanted, as it follows on `rewrite this`: in simpler words, as two sentences, without false starts, …"""
    rewrites: Annotated[list[Text], Len(1)]
    """Equally good rewritten texts."""
