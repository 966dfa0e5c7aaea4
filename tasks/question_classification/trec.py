"""TREC: what kind of thing does a question ask for? Li and Roth 2002, https://aclanthology.org/C02-1150"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Hub("SetFit/TREC-QC", revision="main", splits={"train": "train", "test": "test"}),
    columns={
        "text": text("text"),
        # By the code in text: the integers stand for other classes from one edition of the data to the next.
        "label": labels(
            "label_coarse_original",
            {
                "ABBR": "abbreviation",
                "ENTY": "entity",
                "DESC": "description",
                "HUM": "human",
                "LOC": "location",
                "NUM": "number",
            },
        ),
    },
    metrics=["accuracy"],
    license="unknown",
    families=["trec"],
    languages=["en"],
    sizes={"train": 5_452, "test": 500},
)
