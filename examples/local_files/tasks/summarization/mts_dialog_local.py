"""MTS-Dialog from CSV: a doctor's note on a conversation, section by section. https://aclanthology.org/2023.eacl-main.168"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import OpenInstruction

SECTIONS = {
    "FAM/SOCHX": "family and social history",
    "GENHX": "history of present illness",
    "PASTMEDICALHX": "past medical history",
    "CC": "chief complaint",
    "PASTSURGICAL": "past surgical history",
    "ALLERGY": "allergies",
    "ROS": "review of systems",
    "MEDICATIONS": "medications",
    "ASSESSMENT": "assessment",
    "EXAM": "physical examination",
    "DIAGNOSIS": "diagnosis",
    "DISPOSITION": "disposition",
    "PLAN": "plan",
    "EDCOURSE": "course in the emergency department",
    "IMMUNIZATIONS": "immunizations",
    "IMAGING": "imaging",
    "GYNHX": "gynecologic history",
    "PROCEDURES": "procedures",
    "OTHER_HISTORY": "other history",
    "LABS": "laboratory results",
}
section = pl.col("section_header").replace_strict(SECTIONS, default=None, return_dtype=pl.String)

task = Task(
    schema=OpenInstruction,
    # Nearly every cell holds line ends, of both kinds; ids begin at 0 in each file.
    source=Files(
        {
            "train": "mts_dialog/MTS-Dialog-TrainingSet.csv",
            "validation": "mts_dialog/MTS-Dialog-ValidationSet.csv",
            "test": [
                "mts_dialog/MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
                "mts_dialog/MTS-Dialog-TestSet-2-MEDIQA-Sum-2023.csv",
            ],
        }
    ),
    columns={
        "instruction": pl.format("Write the section “{}” of the doctor's note on this conversation.", section),
        "input": text("dialogue").str.replace_all(r"(?m)^ +| +$", ""),
        "output": text("section_text"),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-4.0",
    families=["mts_dialog"],
    sizes={"train": 1_201, "validation": 100, "test": 400},
)
