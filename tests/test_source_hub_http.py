"""A task reads its dataset over HTTP from a hub behind `HF_ENDPOINT`, then, with the hub gone, from the offline cache.

The readers are processes of their own, since the ecosystem reads its settings when it is loaded.
"""

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hub_stand_in import GRANTED, HangUp, files_of, repository, served
from test_source_hub import CONVERTED, TASKS, outcomes, write_repository

from instruction_kit import Hub
from instruction_kit.source import Sample

READ = ["snli", "squad", "samsum"]
"""A ClassLabel with a config, nested columns, and a repository of the default config."""

"""The branch that the hub makes of a repository's files, without a card: a folder for each config and split."""

READER = """
import json, logging, sys, time
from dataclasses import asdict, replace
time.sleep = lambda _: None  # between the six times that a hub is asked which does not answer
sys.path.insert(0, sys.argv[1])
from test_source_hub import Hub, SourceError, TASKS, Where, outcomes
logging.disable()
for line in json.loads(sys.argv[2]):
    task = TASKS[line["task"]]
    source = Hub(task.source.id, **(task.source.model_dump(exclude={"id"}) | line["changes"]))
    try:
        parts = [part for split in source.split_names for part in source.ranges(split, Where())]
        rows = {split: asdict(outcome) for split, outcome in outcomes(source, task).items()}
        first = next(iter(source._each.values()), source)
        answer = {"commit": first._builder.hash, "contents": [part.content for part in parts], "outcomes": rows}
        try:
            next(source.read(replace(parts[0], content="of a commit before"), Where(), None))
        except SourceError as error:
            answer["moved"] = str(error)
    except SourceError as error:
        answer = {"refused": str(error)}
    print(json.dumps(answer), flush=True)
"""


AS_CONVERTED = {"config": None, "data_dir": "plain_text", "revision": CONVERTED}

Line = tuple[str, dict[str, Any]]
"""A task, and what is changed in its source."""


def read(*lines: Line, **environment: str) -> list[dict[str, Any]]:
    """What a process of its own says that reads tasks from their own hub."""
    asked = json.dumps([{"task": name, "changes": changes} for name, changes in lines])
    done = subprocess.run(
        [sys.executable, "-c", READER, str(Path(__file__).parent), asked],
        env={**os.environ, "USE_TORCH": "0", **environment},  # with torch, `datasets` takes seconds longer to load
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def from_sample(name: str) -> Any:
    found = outcomes(Sample(TASKS[name].sample_path), TASKS[name])
    return json.loads(json.dumps({split: asdict(outcome) for split, outcome in found.items()}))


def hub_id(name: str) -> str:
    source = TASKS[name].source
    assert isinstance(source, Hub)
    return source.id


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    files = {name: files_of(write_repository(TASKS[name], tmp_path_factory.mktemp(name))) for name in READ}
    older = {path: data for path, data in files["snli"].items() if "test" not in path}
    older["README.md"] = b"\n".join(line for line in older["README.md"].split(b"\n") if b"test" not in line)
    names = (path for path in files["snli"] if path.endswith(".parquet"))
    converted = {f"{path.partition('-')[0]}/0000.parquet": files["snli"][path] for path in names}
    found = {hub_id(name): repository(main=files[name]) for name in READ}
    return found | {hub_id("snli"): repository(main=files["snli"], v1=older, **{CONVERTED: converted})}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The caches of one user: what is read over HTTP is there when the hub has gone."""
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def over_http(home, repositories, tmp_path_factory):
    """Read each, one of them streamed; then revisions; then a repository that is not there. And what was asked for."""
    here = tmp_path_factory.mktemp("folder")
    write_repository(TASKS["cb"], here / hub_id("samsum"))  # a folder under the name of a repository
    older = {"revision": "v1", "splits": {"train": "train"}, "streaming": True}
    lines: list[Line] = [*((name, {}) for name in READ), ("snli", {"streaming": True}), ("snli", older)]
    lines += [("snli", AS_CONVERTED)]
    with served(repositories) as (endpoint, asked), pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        found = read(*lines, ("snli", {"revision": "v2"}), ("cb", {}), HF_ENDPOINT=endpoint, HF_HOME=home)
    return found, asked, endpoint


@pytest.fixture(scope="module")
def offline(over_http, home):
    """The same user, without a hub; then with one version pinned that is cached, and one that is not."""
    found = over_http[0]
    commit = found[READ.index("snli")]["commit"]
    lines: list[Line] = [*((name, {}) for name in READ), ("snli", {"revision": commit}), ("snli", {"revision": "v1"})]
    lines += [("snli", AS_CONVERTED), ("cb", {})]
    return read(*lines, HF_HUB_OFFLINE="1", HF_HOME=home)


@pytest.mark.parametrize("name", READ)
def test_a_hub_gives_the_examples_and_the_fates_of_the_sample(name, over_http):
    found = over_http[0]
    assert found[READ.index(name)]["outcomes"] == from_sample(name)


def test_several_configs_are_read_from_the_hub_and_then_from_its_cache(tmp_path):
    asked = ["dyck_languages", "snarks", "word_sorting"]
    files = files_of(write_repository(TASKS["bbh"], tmp_path / "repository"))
    lines: list[Line] = [("bbh", {"configs": asked})]
    with served({hub_id("bbh"): repository(main=files)}) as (endpoint, _):
        found = read(*lines, HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path / "home"))
    assert len({*found[0]["contents"]}) == len(asked)
    outputs = [row["output"] for row in found[0]["outcomes"]["test"]["accepted"]]
    assert outputs == ["> ]", "(B)", "anvil bonnet ferry quill walnut"]
    assert read(*lines, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "home")) == found


def test_a_streamed_hub_gives_the_same_and_is_the_same_content(over_http):
    whole, streamed = over_http[0][READ.index("snli")], over_http[0][len(READ)]
    assert streamed["outcomes"] == whole["outcomes"]
    assert set(streamed["contents"]) == set(whole["contents"])


def test_another_revision_is_another_content(over_http):
    whole, older = over_http[0][READ.index("snli")], over_http[0][len(READ) + 1]
    assert older["commit"] != whole["commit"]
    assert older["outcomes"] == {"train": whole["outcomes"]["train"]}
    assert not set(older["contents"]) & set(whole["contents"])


def test_a_part_of_another_commit_is_refused(over_http):
    """As where the branch moves between two processes of one build."""
    snli = over_http[0][READ.index("snli")]
    assert snli["moved"] == (
        f"Hub(stanfordnlp/snli, config=plain_text, revision=main): is at another commit ({snli['commit']}) than when "
        "its rows were counted; build again, or state a revision= that does not move"
    )


def test_the_branch_of_converted_files_gives_the_same_rows(over_http):
    whole, converted = over_http[0][READ.index("snli")], over_http[0][len(READ) + 2]
    assert converted["outcomes"] == whole["outcomes"]


def test_a_folder_of_a_repository_is_found_in_the_cache(over_http, offline):
    """`datasets` caches it under a name that it does not find again without the hub."""
    assert offline[len(READ) + 2] == over_http[0][len(READ) + 2]


def test_a_revision_that_is_not_there_is_refused_with_those_that_are(over_http):
    assert over_http[0][-2] == {
        "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=v2): cannot be read: "
        "Revision 'v2' doesn't exist for dataset 'stanfordnlp/snli' on the Hub.\n"
        "  Mend: no branch or tag v2; there are: main, refs/convert/parquet, v1; or state a commit; or build with "
        "data: sample"
    }


def test_a_repository_that_is_not_there_is_refused(over_http):
    told = over_http[0][-1]["refused"].replace(over_http[2], "HUB")
    assert told == (
        "Hub(aps/super_glue, config=cb, revision=main): cannot be read: "
        "Dataset 'aps/super_glue' doesn't exist on the Hub or cannot be accessed.\n"
        "  Mend: check the id, HUB/datasets/aps/super_glue; a private repository needs HF_TOKEN, and none is set; or "
        "build with data: sample"
    )


def test_the_branch_is_looked_up_once_for_all_splits(over_http):
    asked = over_http[1]
    assert asked.count("HEAD /datasets/rajpurkar/squad/resolve/main/README.md") == 1


def test_no_loading_script_is_fetched(over_http):
    asked = over_http[1]
    assert [line for line in asked if line.startswith("GET") and line.endswith(".py")] == []


@pytest.mark.parametrize("name", READ)
def test_with_the_hub_gone_the_cache_gives_the_same_rows_and_the_same_content(name, over_http, offline):
    assert offline[READ.index(name)] == over_http[0][READ.index(name)]


def test_a_commit_that_is_cached_can_be_named_offline(over_http, offline):
    assert offline[len(READ)]["outcomes"] == over_http[0][READ.index("snli")]["outcomes"]


def test_a_revision_that_is_not_the_cached_one_is_refused_offline(over_http, offline):
    """`datasets` would hand over whatever it cached last."""
    commits = [over_http[0][place]["commit"] for place in (READ.index("snli"), len(READ) + 1)]
    assert offline[len(READ) + 1] == {
        "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=v1): cannot be reached, and the copy in the "
        f"cache is of another revision ({commits[0]}, not {commits[1]}); read it once with the hub in reach, "
        f"or state revision='{commits[0]}'"
    }


def test_what_was_never_read_is_refused_offline(offline):
    assert offline[-1] == {
        "refused": "Hub(aps/super_glue, config=cb, revision=main): cannot be read: "
        "Couldn't reach 'aps/super_glue' on the Hub (OfflineModeIsEnabled)\n"
        "  Mend: HF_HUB_OFFLINE is set: read this once without it under the same HF_HOME; or build with data: sample"
    }


def test_of_several_revisions_in_the_cache_the_one_that_is_asked_for_is_read(repositories, tmp_path):
    """`datasets` would take the one that was cached last."""
    v1 = {"revision": "v1", "splits": {"train": "train"}}
    lines: list[Line] = [("snli", {}), ("snli", v1)]
    with served(repositories) as (endpoint, _):
        found = read(*lines, HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path))
    assert found[0]["commit"] != found[1]["commit"]
    assert read(*lines, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path)) == found


def test_a_folder_of_which_files_are_missing_in_the_cache_is_refused(over_http, home, tmp_path):
    shutil.copytree(home, tmp_path / "home", symlinks=True)
    (found,) = (tmp_path / "home" / "hub").glob("*snli/snapshots/*/plain_text/test/0000.parquet")
    found.unlink()
    (told,) = read(("snli", AS_CONVERTED), HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "home"))
    assert told["refused"].startswith(
        "Hub(stanfordnlp/snli, revision=refs/convert/parquet, data_dir=plain_text): cannot be read: Couldn't find cache"
    )


@pytest.fixture(scope="module")
def gated(repositories, tmp_path_factory):
    """The answers to three users: without a token, with one that has no access, and with one that has."""
    shut = {name: replace(known, gated=True) for name, known in repositories.items()}
    homes = [str(tmp_path_factory.mktemp("home")) for _ in range(3)]
    with served(shut) as (endpoint, _):
        tokens: tuple[dict[str, str], ...] = ({}, {"HF_TOKEN": "hf_other"}, {"HF_TOKEN": GRANTED})
        lines: list[Line] = [("snli", {}), ("snli", {"streaming": True})]
        told = [
            read(*lines, HF_ENDPOINT=endpoint, HF_HOME=home, **token) for home, token in zip(homes, tokens, strict=True)
        ]
    return json.loads(json.dumps(told).replace(endpoint, "HUB"))


@pytest.mark.parametrize("streaming", [False, True])
def test_a_gated_repository_is_refused_with_what_to_do(streaming, gated):
    said = (
        "Hub(stanfordnlp/snli, config=plain_text, revision=main): cannot be read: "
        "Dataset 'stanfordnlp/snli' is a gated dataset on the Hub."
    )
    without, other = (answers[streaming]["refused"] for answers in gated[:2])
    assert without == (
        f"{said} You must be authenticated to access it.\n"
        "  Mend: accept its terms at HUB/datasets/stanfordnlp/snli, then set HF_TOKEN to a token of the account that "
        "did, and none is set; or build with data: sample"
    )
    assert other == (
        f"{said} Visit the dataset page at https://huggingface.co/datasets/stanfordnlp/snli to ask for access.\n"
        "  Mend: the account of this token has no access: accept the terms at HUB/datasets/stanfordnlp/snli, wait "
        "where the owner has to approve, and let a fine-grained token read gated repositories; or build with data: "
        "sample"
    )


def test_the_token_of_an_account_with_access_opens_a_gated_repository(gated, over_http):
    whole = over_http[0][READ.index("snli")]
    assert [answer["outcomes"] for answer in gated[2]] == [whole["outcomes"]] * 2


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_what_to_check(tmp_path):
    assert read(("snli", {}), HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path)) == [
        {
            "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=main): cannot be read: "
            "Couldn't reach 'stanfordnlp/snli' on the Hub (LocalEntryNotFoundError)\n"
            "  Mend: check the network and HF_ENDPOINT, http://127.0.0.1:9; or build with data: sample"
        }
    ]


def test_a_hub_that_hangs_up_is_an_error_too(tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        said = read(("snli", {}), HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path))
        server.shutdown()
    assert said == [
        {
            "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=main): cannot be read: "
            "Server disconnected without sending a response.\n"
            f"  Mend: check the network and HF_ENDPOINT, {endpoint}; or build with data: sample"
        }
    ]
