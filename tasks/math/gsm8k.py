"""GSM8K: grade-school word problems with worked solutions. Cobbe et al. 2021, https://arxiv.org/abs/2110.14168"""

from instruction_kit import Hub, Task, text
from instruction_kit.schema import MathWordProblem

solution = text("answer")

task = Task(
    schema=MathWordProblem,
    source=Hub("openai/gsm8k", config="main", revision="main", splits={"train": "train", "test": "test"}),
    columns={
        "question": text("question"),
        # `steps with <<1+1=2>> marks of a calculator` #### `1,000`
        "rationale": solution.str.extract(r"(?s)^(.*?)\s*####").str.replace_all(r"<<.*?>>", ""),
        "answer": solution.str.extract(r"####\s*(.+)$").str.replace_all(",", "", literal=True),
    },
    metrics=["exact_match"],
    license="mit",
    families=["gsm8k"],
    languages=["en"],
    sizes={"train": 7_473, "test": 1_319},
)
