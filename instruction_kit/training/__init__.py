"""Tuning: TRL's SFT trainer on the kit's own token shards, with every silent default closed.

Importing anything from here needs the extra `tune`; without it the error names the install line.
"""

from importlib.util import find_spec

from instruction_kit.errors import MissingExtraError

if any(find_spec(package) is None for package in ("torch", "transformers", "trl", "accelerate", "peft")):
    raise MissingExtraError("tuning a model", extra="tune")
