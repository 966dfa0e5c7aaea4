"""BoolQ: does a passage answer a searcher's question with yes or no? Clark et al. 2019, https://aclanthology.org/N19-1300"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import BooleanQA

task = Task(
    schema=BooleanQA,
    source=Hub("google/boolq", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "passage": text("passage"),
        "question": text("question").str.replace(
            r"(?s)^(.+?)[\s?]*$", "${1}?"
        ),  # typed into a search box, without a mark
        "label": labels("answer", {True: "yes", False: "no"}),
    },
    evaluate="validation",  # there is no test split
    metrics=["accuracy"],
    license="cc-by-sa-3.0",
    families=["boolq", "natural_questions"],  # part of its training questions come from there
    languages=["en"],
    sizes={"train": 9_427, "validation": 3_270},
)
