"""Token shards that are there already: whether they are whole, of this code, and the wanted ones.

In go a folder and what its rows are to be like, out comes its record, or an error that says what differs.
"""

import hashlib
from pathlib import Path

from instruction_kit.build.commit import file_hash
from instruction_kit.errors import TokenError
from instruction_kit.token.record import RECORD, Identity, TokenRecord, differences, read_record


def fitting(folder: Path, identity: Identity) -> TokenRecord:
    """Read shards that are there already, and refuse them where they are not what is wanted.

    Raises:
        TokenError: there are none, they were made from something else or by another release, or a file is broken.

    """
    found = read_record(folder)
    if found is None:
        raise TokenError(
            f"{folder}: no {RECORD}, so it holds no whole token shards; write them: instruction-kit tokenize"
        )
    changed = [f"{name} {there} there, {here} here" for name, there, here in differences(found.identity, identity)]
    if changed:
        raise TokenError(
            f"{folder}: its token shards are not of this mixture for this model: {'; '.join(changed)}. "
            "Write others: instruction-kit tokenize"
        )
    if not is_current(folder, found):
        raise TokenError(f"{folder}: its token shards are broken, or another release wrote them; write them again")
    return found


def is_current(folder: Path, record: TokenRecord) -> bool:
    """Say whether shards are whole, and written by this code."""
    paths = [(folder / shard.path, shard.sha256) for shard in record.shards]
    return record.code == code_hash() and all(path.is_file() and file_hash(path) == sha256 for path, sha256 in paths)


def code_hash() -> str:
    """Hash the modules that decide a token row."""
    paths = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
