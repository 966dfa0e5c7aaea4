"""GSM8K in FLAN 2022's text, solutions without calculator marks. Cobbe et al. 2021, https://arxiv.org/abs/2110.14168"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import MathWordProblem

lines = {name: pl.col(name).str.replace_all(r"\n", "\n", literal=True) for name in ("question", "explanation")}

task = Task(
    schema=MathWordProblem,
    source=Hub("chiayewken/flan-cot", config="gsm8k", revision="main", splits={"train": "train"}),
    columns={
        "question": text(lines["question"]),
        "answer": text("answer").str.replace_all(",", "", literal=True),  # the number alone
        "rationale": text(lines["explanation"]),
    },
    metrics=["exact_match"],
    license="mit",
    families=["gsm8k"],
    languages=["en"],
    sizes={"train": 7_473},
)
