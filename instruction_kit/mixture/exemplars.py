"""How many exemplars stand before a question in few-shot settings, and where they come from."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from instruction_kit.mixture.value import FROZEN, refused
from instruction_kit.render.setting import ExemplarSource

MAX_EXEMPLARS = 64


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
    """`rows` of the task's own train that are not measured; or the `file` of hand-written ones beside the task."""
