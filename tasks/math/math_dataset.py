"""Mathematics dataset, linear equations in one unknown: what is the unknown? Saxton et al. 2019, https://arxiv.org/abs/1904.01557"""

from instruction_kit import Hub, Task, text
from instruction_kit.schema import MathWordProblem

BYTES = r"""^b['"](.*?)(?:\\n)?['"]$"""  # the source writes bytes out: b'Solve 3*x = 6 for x.\n'

task = Task(
    schema=MathWordProblem,
    source=Hub(
        "deepmind/math_dataset",
        revision="refs/convert/parquet",
        data_dir="algebra__linear_1d",
        splits={"train": "train", "test": "test"},  # train goes from easy to hard
    ),
    columns={
        "question": text(text("question").str.extract(BYTES)),
        "answer": text(text("answer").str.extract(BYTES)),
    },
    metrics=["exact_match"],
    license="apache-2.0",
    families=["math_dataset"],
    languages=["en"],
    sizes={"train": 1_999_998, "test": 10_000},
)
