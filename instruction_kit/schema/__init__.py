"""What an example is. `Schema` is the class to extend; the rest ships with the library."""

from instruction_kit.schema.field import Choice, Free, Label, LongText, Target, Text
from instruction_kit.schema.schema import Schema
from instruction_kit.schema.shipped import (
    BooleanQA,
    ClaimCheck,
    Classification,
    ClosedBookQA,
    Coreference,
    Dialogue,
    MathWordProblem,
    MultipleChoice,
    NaturalLanguageInference,
    OpenInstruction,
    Paraphrase,
    ReadingComprehension,
    Rewriting,
    SequenceLabelling,
    StructToText,
    Summarization,
    Translation,
)
from instruction_kit.schema.turn import Turn

__all__ = [
    "BooleanQA",
    "Choice",
    "ClaimCheck",
    "Classification",
    "ClosedBookQA",
    "Coreference",
    "Dialogue",
    "Free",
    "Label",
    "LongText",
    "MathWordProblem",
    "MultipleChoice",
    "NaturalLanguageInference",
    "OpenInstruction",
    "Paraphrase",
    "ReadingComprehension",
    "Rewriting",
    "Schema",
    "SequenceLabelling",
    "StructToText",
    "Summarization",
    "Target",
    "Text",
    "Translation",
    "Turn",
]
