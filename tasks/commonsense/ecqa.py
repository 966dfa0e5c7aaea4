"""ECQA: which answer fits an everyday question, and why? Aggarwal et al. 2021, https://aclanthology.org/2021.acl-long.238"""

from instruction_kit import Hub, Task, options, position, text
from instruction_kit.schema import MultipleChoice

choices = options("q_op1", "q_op2", "q_op3", "q_op4", "q_op5")

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "yangdong/ecqa",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # the authors' own split, all labelled
    ),
    columns={
        "question": text("q_text"),
        "options": choices,
        "answer": position(text("q_ans"), within=choices),  # the words of the choice
        "rationale": text("taskB"),  # taskA_pos and taskA_neg are its notes: what speaks for a choice, and against
    },
    metrics=["accuracy"],
    license="cdla-sharing-1.0",  # of ECQA; the hub says nothing
    families=["commonsense_qa"],
    languages=["en"],
    sizes={"train": 7_598, "validation": 1_090, "test": 2_194},
)
