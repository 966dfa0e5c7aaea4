"""What an example is. `Schema` is the class to extend; the rest ships with the library."""

from instruction_kit.schema.field import Choice, Free, Label, LongText, Target, Text
from instruction_kit.schema.schema import Schema
from instruction_kit.schema.shipped import (
    Classification,
    MathWordProblem,
    MultipleChoice,
    NaturalLanguageInference,
    ReadingComprehension,
    Summarization,
)

__all__ = [
    "Choice",
    "Classification",
    "Free",
    "Label",
    "LongText",
    "MathWordProblem",
    "MultipleChoice",
    "NaturalLanguageInference",
    "ReadingComprehension",
    "Schema",
    "Summarization",
    "Target",
    "Text",
]
