"""How long a text is: in characters, or in the tokens of a tokenizer.

In: a mixture's budget. Out: the limit and what counts it. Tokens are counted as training makes them: of prompt and
completion each apart, without special tokens, with two more for those that begin and end a pair.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from instruction_kit.errors import MissingExtraError, MixtureError
from instruction_kit.mixture.rate import Budget

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ENDS = 2
"""The tokens that begin and end a pair."""


def measure(budget: Budget | None) -> tuple[int | None, Callable[[str], int]]:
    """The most that a prompt with its output may hold, and what counts it."""
    if budget is None or budget.tokens is None or budget.tokenizer is None:
        return (budget.characters if budget else None), len
    return budget.tokens - ENDS, counter(budget.tokenizer)


def counter(name: str) -> Callable[[str], int]:
    """What counts the tokens of one text, without special ones."""
    tokenizer = read_tokenizer(name)

    def count(text: str) -> int:
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        return len(ids)

    return count


@cache
def read_tokenizer(name: str) -> "PreTrainedTokenizerBase":
    """Read a tokenizer, once a process.

    Raises:
        MissingExtraError: transformers is not installed.
        MixtureError: there is none under this name.

    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("counting tokens", extra="tune") from error
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        why = str(error).strip().split("\n")[0]
        mend = "name a folder that holds one, or a repository of the hub"
        raise MixtureError(f"no tokenizer can be read from {name} ({why}); {mend}") from error
    return tokenizer


def tokenizer_hash(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Hash what decides a tokenizer's ids: its vocabulary and rules, not how it pads, cuts or is called."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        rules = json.dumps([type(tokenizer).__name__, sorted(tokenizer.get_vocab().items())])
    else:
        rules = backend.to_str().partition('"added_tokens":')[2]  # before it stand padding and truncation alone
    ends = json.dumps([tokenizer.bos_token, tokenizer.eos_token])
    return hashlib.sha256(f"{ends}\n{rules}".encode()).hexdigest()
