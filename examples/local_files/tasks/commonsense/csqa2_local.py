"""CommonsenseQA 2.0 from packed JSON Lines: is it so, yes or no? https://arxiv.org/abs/2201.05320"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import BooleanQA

task = Task(
    schema=BooleanQA,
    # the third file has no answers, so it stays out
    source=Files({"train": "csqa2/CSQA2_train.json.gz", "validation": "csqa2/CSQA2_dev.json.gz"}, format="jsonl"),
    columns={"question": text("question"), "label": labels("answer", ["yes", "no"])},
    key="id",
    license="cc-by-4.0",
    families=["commonsense_qa_2"],
    sizes={"train": 9_264, "validation": 2_541},
)
