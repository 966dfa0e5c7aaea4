"""ASDiv from XML: arithmetic of primary school, with the formula that solves it. https://aclanthology.org/2020.acl-main.92"""

from instruction_kit import Files, Task, text
from instruction_kit.schema import MathWordProblem

task = Task(
    schema=MathWordProblem,
    source=Files({"train": "asdiv/ASDiv.xml"}, records="Problem"),
    columns={
        "question": text("Body") + " " + text("Question"),
        "answer": text("Answer").str.replace_all(r"\s+\([^)]*\)", ""),  # "9 (apples)", "6 (inches); 12 (inches)"
        "rationale": text("Formula"),
    },
    key="@ID",
    metrics=["exact_match"],
    license="cc-by-nc-4.0",
    families=["asdiv"],
    sizes={"train": 2_305},
)
