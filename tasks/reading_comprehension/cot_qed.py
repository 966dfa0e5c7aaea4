"""QED in FLAN 2022's text: question and passage in one, and what leads to the answer. Lamm et al. 2021, https://arxiv.org/abs/2009.06354"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import OpenInstruction

lines = {name: pl.col(name).str.replace_all(r"\n", "\n", literal=True) for name in ("question", "explanation")}

task = Task(
    schema=OpenInstruction,
    source=Hub("chiayewken/flan-cot", config="qed", revision="main", splits={"train": "train"}),
    columns={
        "instruction": text(lines["question"]),  # FLAN's own wording around passage and question, which varies
        "output": text("answer"),
        "rationale": text(lines["explanation"]),
    },
    metrics=["exact_match", "f1"],
    license="cc-by-sa-3.0",
    families=["qed", "natural_questions"],
    languages=["en"],
    sizes={"train": 5_154},
)
