"""Pydantic's verdict on a mixture, in words: which key, what is wrong, and the nearest valid name."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from instruction_kit.errors import nearest
from instruction_kit.mixture import value
from instruction_kit.mixture.exemplars import Exemplars
from instruction_kit.mixture.rate import Budget, Equal, ExamplesProportional, FixedWeights, Temperature

_RATES: dict[str, type[BaseModel]] = {
    "examples_proportional": ExamplesProportional,
    "equal": Equal,
    "temperature": Temperature,
    "fixed_weights": FixedWeights,
}


def told(error: ValidationError, *, keys: Sequence[str]) -> str:
    """Write one line for each problem; `keys` are the mixture's own."""
    details = error.errors(include_url=False)
    lines = [f"{_key(detail)}{why}" for detail in details for why in _why(detail, keys).split("\n")]
    return "\n".join(dict.fromkeys(lines))


def _key(detail: ErrorDetails) -> str:
    return "" if detail.get("ctx", {}).get("keyed") else f"{_where(detail['loc'])}: "


def _where(location: tuple[int | str, ...]) -> str:
    """The key as the user wrote it, without what pydantic adds: the kind of the rates, the branch of a union."""
    written = (location[0], *location[2:]) if location[:1] == ("rates",) else location
    parts = [str(part) for part in written]
    return ".".join(part for part in parts if not part.startswith(("function-", "tuple[", "literal[", "[key]")))


def _why(detail: ErrorDetails, keys: Sequence[str]) -> str:
    message, location = detail["msg"], detail["loc"]
    match detail["type"]:
        case value.REFUSED:
            return message
        case "extra_forbidden":
            return _unknown(location, keys)
        case "union_tag_invalid":
            tag = str(detail["ctx"]["tag"])
            return f"there is no kind {tag}; {nearest(tag, _RATES)}"
        case "union_tag_not_found":
            return f"give its kind, one of {', '.join(_RATES)}"
        case "tuple_type":
            return "give a list"
    return message[0].lower() + message[1:]


def _unknown(location: tuple[int | str, ...], keys: Sequence[str]) -> str:
    if location[0] == "parts" and location[-1] in keys:
        return "holds for the whole mixture; say it beside `parts`"
    return f"unknown key; {nearest(str(location[-1]), _siblings(location, keys))}"


def _siblings(location: tuple[int | str, ...], keys: Sequence[str]) -> Sequence[str]:
    models: dict[str, type[BaseModel]] = {**_RATES, "budget": Budget, "exemplars": Exemplars}
    owner = next((models[str(part)] for part in reversed(location[:-1]) if str(part) in models), None)
    if owner:
        return list(owner.model_fields)
    return [*keys, "weight"] if location[0] == "parts" else keys
