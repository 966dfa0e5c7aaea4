"""How many exemplars stand before a question in few-shot settings, and where they come from."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SerializationInfo,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from instruction_kit.mixture.value import FROZEN, refused
from instruction_kit.render.setting import ExemplarSource

MAX_EXEMPLARS = 64
LOCAL = "local"
"""The context in which a mixture is written down for this machine alone."""


def _range(value: Any) -> Any:
    low, high = value if isinstance(value, list | tuple) and len(value) == 2 else (value, value)
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (low, high))
    if not whole or not 1 <= low <= high <= MAX_EXEMPLARS:
        told = f"give a number from 1 to {MAX_EXEMPLARS}, or two of them, the lower first, for a range"
        raise refused(f"{value!r} is no number of exemplars; {told}")
    return (low, high)


class Exemplars(BaseModel):
    """What few-shot settings show before a question."""

    model_config = FROZEN
    num: Annotated[tuple[int, int], BeforeValidator(_range)] = (1, 5)
    """How many, or the lowest and the highest number: each use of a row draws one, all equally likely."""
    balance: Literal["random", "label"] = "random"
    """`label`: as many of each class as the pool allows, where a task has classes."""
    source: ExemplarSource = Field("rows")
    """`rows` of the task's split for exemplars, else of its train, that are not measured; or the `file` of hand-written
    ones beside the task; or `prompts` of the user's own, in `folder`."""
    alike: str | None = None
    """A field of the schema in which exemplars say the same as the question, such as the subject of an exam."""
    folder: Path | None = Field(None, validate_default=True)
    """A folder of text files with solved questions, relative to `data_dir`."""

    @field_validator("folder")
    @classmethod
    def _of_prompts(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        wanted = info.data.get("source") == "prompts"
        if "source" in info.data and wanted != (folder is not None):
            told = "source: prompts needs the folder in which they lie" if wanted else "is for `source: prompts` alone"
            raise refused(told)
        return folder

    @field_serializer("folder")
    def _portable(self, folder: Path | None, info: SerializationInfo) -> str | None:
        """Where it lies on this machine enters nothing that is kept."""
        if folder is None:
            return None
        return folder.name if folder.is_absolute() and info.context != LOCAL else folder.as_posix()
