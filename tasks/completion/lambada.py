"""LAMBADA: which word ends a passage from a novel? Paperno et al. 2016, https://aclanthology.org/P16-1144"""

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Completion

task = Task(
    schema=Completion,
    source=Hub("EleutherAI/lambada_openai", revision="main", splits={"test": "test"}),  # test alone: never trained on
    columns={
        "text": text(text("text").str.replace(r"\S+$", "")),
        "endings": text("text").str.extract(r"(\S+)$"),
    },
    metrics=["exact_match"],
    license="mit",
    families=["lambada"],
    languages=["en"],
    sizes={"test": 5_153},
)
