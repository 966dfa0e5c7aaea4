"""What a hub says no with, and how to mend it.

In: the error that the ecosystem raised, and the repository that was asked for. Out: its own words in one line, and what
to do in another. The kind of error decides, not its text.
"""

from typing import TypeVar

from instruction_kit.errors import nearest

E = TypeVar("E", bound=BaseException)


def words(error: BaseException) -> str:
    """The first line of what went wrong; of a generation that failed, why it did."""
    from datasets.exceptions import DatasetGenerationError

    told = error.__cause__ if isinstance(error, DatasetGenerationError) and error.__cause__ else error
    return str(told).strip().split("\n")[0]


def mend(error: BaseException, *, id: str, revision: str | None) -> str:  # noqa: A002 - the hub's own word
    """What the user can do about it."""
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/datasets/{id}"
    if isinstance(error, DatasetNotFoundError) and not _first(error, errors.HfHubHTTPError):
        error = _asked_again(id) or error
    if gated := _first(error, errors.GatedRepoError):
        return _gated(gated.response.status_code, page)
    if _first(error, errors.RevisionNotFoundError):
        return _revisions(id, revision or "main")
    if _first(error, errors.RepositoryNotFoundError):
        return f"check the id, {page}; a private repository needs HF_TOKEN, {_token()}"
    return _unread(error)


def _unread(error: BaseException) -> str:
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set: read this once without it under the same HF_HOME"
    if any(_first(error, kind) for kind in (ConnectionError, errors.LocalEntryNotFoundError, http_error())):
        return f"check the network and HF_ENDPOINT, {constants.ENDPOINT}"
    if "disk space" in words(error):
        return "make room, set HF_HOME to another disk, or read a stream: Hub(…, streaming=True)"
    return "check config, split and data_dir, and the network (HF_ENDPOINT, HF_HUB_OFFLINE)"


def _first(error: BaseException, kind: type[E]) -> E | None:
    """The error itself, or one that led to it."""
    here: BaseException | None = error
    while here is not None and not isinstance(here, kind):
        here = here.__cause__ or here.__context__
    return here


def _asked_again(id: str) -> Exception | None:  # noqa: A002 - the hub's own word
    """Why there is no access: `datasets` drops what the hub said."""
    from huggingface_hub import HfApi

    try:
        HfApi().auth_check(id, repo_type="dataset")
    except (OSError, ValueError, http_error()) as error:
        return error
    return None


def http_error() -> type[Exception]:
    """The root of the errors of whichever HTTP client `huggingface_hub` uses."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # not among its public names

    return HTTPError


def _gated(status: int, page: str) -> str:
    if status == 401:
        return f"accept its terms at {page}, then set HF_TOKEN to a token of the account that did, {_token()}"
    return (
        f"the account of this token has no access: accept the terms at {page}, wait where the owner has to approve, "
        "and let a fine-grained token read gated repositories"
    )


def _token() -> str:
    from huggingface_hub import get_token

    return "and the one that is set does not open it" if get_token() else "and none is set"


def _revisions(id: str, revision: str) -> str:  # noqa: A002 - the hub's own word
    from huggingface_hub import HfApi

    try:
        refs = HfApi().list_repo_refs(id, repo_type="dataset")
    except (OSError, ValueError, http_error()):
        return f"revision {revision} is no branch, tag or commit of it"
    names = [ref.name for ref in (*refs.branches, *refs.tags)] + [ref.ref for ref in refs.converts]
    return f"no branch or tag {revision}; {nearest(revision, names)}; or state a commit"
