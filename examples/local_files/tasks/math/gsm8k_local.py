"""GSM8K from JSON Lines: a problem, its worked solution and the final number. https://arxiv.org/abs/2110.14168"""

from instruction_kit import Files, Task, text
from instruction_kit.schema import MathWordProblem

solution = text("answer")  # steps with the marks of a calculator, <<48/2=24>>, and a last line `#### 1,000`

task = Task(
    schema=MathWordProblem,
    # test_socratic.jsonl has the questions of test.jsonl once more, so it stays out.
    source=Files({"train": "gsm8k/train.jsonl", "test": "gsm8k/test.jsonl"}),
    columns={
        "question": text("question"),
        "rationale": solution.str.extract(r"(?s)^(.*?)\s*####").str.replace_all(r"<<.*?>>", ""),
        "answer": solution.str.extract(r"####\s*(.+)$").str.replace_all(",", "", literal=True),
    },
    metrics=["exact_match"],
    license="mit",
    families=["gsm8k"],
    languages=["en"],
    sizes={"train": 7_473, "test": 1_319},
)
