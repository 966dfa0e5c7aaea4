"""The project as a whole: what an import loads, what the folders hold, what the wheel ships, what the README says."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import NetworkRefusedError
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "instruction_kit"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"accelerate", "datasets", "matplotlib", "pandas", "peft", "ray", "torch", "transformers", "trl"}
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    if name and (ROOT / name).is_file()
]
DISTRIBUTION = {
    "yaml": "pyyaml",
    # Parts that their package hands to its callers, released in step with it:
    "annotated_types": "pydantic",
    "huggingface_hub": "datasets",
    "pydantic_core": "pydantic",
    "tokenizers": "transformers",
}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
LIGHT_ROOMS = {name.removeprefix("instruction_kit.") for name in CONTRACTS["light"]["source_modules"]}
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def loaded_by(code: str) -> tuple[set[str], float]:
    """Packages that a fresh Python holds after `code`, and the CPU seconds that `code` took."""
    measured = f"""
import json, sys, time
start = time.process_time()
{code}
print(json.dumps([sorted({{name.partition(".")[0] for name in sys.modules}}), time.process_time() - start]))
"""
    names, seconds = json.loads(run(sys.executable, "-c", measured))
    return set(names), seconds


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


# --- imports ----------------------------------------------------------------------------------------------------------


def test_importing_the_package_is_quick_and_loads_nothing_heavy():
    runs = [loaded_by("import instruction_kit") for _ in range(3)]
    assert not runs[0][0] & HEAVY
    assert min(seconds for _, seconds in runs) < 0.3


def test_no_public_name_loads_anything_heavy():
    packages, _ = loaded_by("import instruction_kit as kit\nfor name in kit.__all__: getattr(kit, name)")
    assert not packages & HEAVY


def test_the_rooms_up_to_build_load_nothing_heavy():
    modules = [dotted(path) for path in MODULES if room(path) in LIGHT_ROOMS]
    packages, _ = loaded_by("\n".join(f"import {name}" for name in modules))
    assert not packages & HEAVY


def test_a_list_of_tasks_loads_no_pyarrow_and_a_look_at_plain_texts_no_pandas():
    listed, _ = loaded_by("from instruction_kit.cli.catalogue import catalogue\ncatalogue('tasks', [])")
    assert "pyarrow" not in listed
    look = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): preview_task('snli', Wanted())"
    looked, _ = loaded_by(f"from instruction_kit.cli.preview import Wanted, preview_task\n{look}")
    assert "pandas" not in looked


def test_every_room_up_to_build_is_one_of_those():
    layers = [re.findall(r"\w+", layer) for layer in CONTRACTS["rooms"]["layers"]]
    up_to_build = {name for layer in layers[layers.index(["build"]) :] for name in layer}
    assert up_to_build & {room(path) for path in MODULES} == LIGHT_ROOMS


# --- files ------------------------------------------------------------------------------------------------------------


def test_every_module_has_fewer_than_400_lines():
    lines = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: number for name, number in lines.items() if number >= 400} == {}


def test_no_file_is_larger_than_a_mebibyte():
    assert [str(path.relative_to(ROOT)) for path in FILES if path.stat().st_size > 2**20] == []


def test_scripts_are_mains_of_fewer_than_15_lines():
    scripts = sorted((ROOT / "scripts").glob("*.py"))
    assert scripts
    assert {path.name: n for path in scripts if (n := len(path.read_text(encoding="utf-8").splitlines())) >= 15} == {}


def test_the_library_never_calls_hash():
    """It differs from process to process; ruff cannot ban a builtin."""
    calls = [
        f"{dotted(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash"
    ]
    assert calls == []


@pytest.mark.parametrize("kind", ["utils", "common", "helpers", "base"])
def test_no_module_is_a_drawer(kind):
    assert [dotted(path) for path in MODULES if kind in path.relative_to(ROOT).with_suffix("").parts] == []


def test_no_tracked_file_names_a_machine_or_the_network_it_stood_in():
    own = re.compile(rb"(?:/home/|/Users/|/root/)[A-Za-z0-9_]|--(?:extra-)?index-url|PIP_INDEX_URL")
    text = [path for path in FILES if path.suffix != ".parquet" and path != Path(__file__)]
    assert [str(path.relative_to(ROOT)) for path in text if own.search(path.read_bytes())] == []


# --- the README's tree ------------------------------------------------------------------------------------------------


def real_tree() -> set[str]:
    """Each top-level folder, each module of the package, and each folder of modules, as the README has to list them."""
    inside = {path.relative_to(ROOT) for path in FILES}
    top = {f"{path.parts[0]}/" for path in inside if len(path.parts) > 1}
    modules = {path for path in inside if path.parts[0] == PACKAGE.name and path.suffix == ".py"}
    folders = {f"{path.parent.as_posix()}/" for path in modules}
    return top | folders | {path.as_posix() for path in modules if path.name != "__init__.py"}


def told_tree() -> dict[str, str]:
    """Path -> comment, from the README's block of indented names; a top-level file may be listed too."""
    block = re.search(r"^## Files\n.*?^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no section `## Files` with a fenced tree"
    told: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in block[1].splitlines():
        name, _, comment = line.strip().partition(" ")
        indent = len(line) - len(line.lstrip())
        above = [(depth, folder) for depth, folder in above if depth < indent]
        path = (above[-1][1] if above else "") + name
        if name.endswith("/"):
            above.append((indent, path))
        told[path] = comment.strip()
    return told


def first_sentence(path: str) -> str:
    file = ROOT / path / "__init__.py" if path.endswith("/") else ROOT / path
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return text.removeprefix('"""').partition("\n")[0].partition('"""')[0]


def test_the_readme_lists_every_folder_and_module_with_a_comment():
    told, real = told_tree(), real_tree()
    missing = [f"{path}  {first_sentence(path)}" for path in sorted(real - told.keys())]
    gone = sorted(path for path in told if not (ROOT / path).exists())
    assert not missing, "README.md, section Files, lacks:\n" + "\n".join(missing)
    assert not gone, f"README.md, section Files, lists what is not there: {gone}"
    assert [path for path, comment in told.items() if not comment] == []


# --- the ways in ------------------------------------------------------------------------------------------------------


def make_targets() -> list[str]:
    return re.findall(r"^  make ([a-z-]+)", run("make", "help"), re.MULTILINE)


def test_make_alone_lists_the_targets():
    assert run("make") == run("make", "help")
    assert {"demo", "demo-raw", "test", "check"} <= set(make_targets())


@pytest.mark.parametrize("target", make_targets())
def test_every_listed_target_exists_and_so_do_the_files_that_it_runs(target):
    recipe = run("make", "--dry-run", target, "DATA=raw")
    named = re.findall(r"(?<![\w./])((?:scripts|examples|tests|\.ci)/[\w./-]+\.\w+)", recipe)
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_that_a_page_names_is_listed(page):
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(make_targets())


def test_ci_runs_the_test_command_of_the_readme_and_the_checks():
    commands = re.findall(r"^make [a-z-]+", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["make test", "make check"]
    shown = "\n".join(re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", README, re.MULTILINE | re.DOTALL))
    assert re.search(r"^make test\b", shown, re.MULTILINE)


# --- dependencies -----------------------------------------------------------------------------------------------------


def requirements(*extras: str) -> list[Requirement]:
    optional = PROJECT["optional-dependencies"]
    return [Requirement(line) for lines in (PROJECT["dependencies"], *(optional[e] for e in extras)) for line in lines]


def test_the_environment_is_within_the_stated_versions():
    found = {need: version(need.name) for need in requirements("fast", "metrics", "near", "tune", "dev")}
    assert {str(need): number for need, number in found.items() if number not in need.specifier} == {}


def test_every_package_that_the_library_imports_is_a_stated_dependency():
    """By the import graph of the source, so that nothing rests on what another package happens to bring."""
    import grimp

    graph = grimp.build_graph("instruction_kit", include_external_packages=True, cache_dir=None)
    imported = {name.partition(".")[0] for name in graph.modules} - {"instruction_kit"} - sys.stdlib_module_names
    stated = {need.name.replace("-", "_") for need in requirements("fast", "metrics", "near", "qlora", "tune")}
    assert {DISTRIBUTION.get(name, name) for name in imported} <= stated


# --- the wheel --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (built,) = folder.glob("*.whl")
    return Path(built)


def test_the_wheel_holds_the_package_and_the_library_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    inside = [path.relative_to(ROOT) for path in FILES]
    library = [path for path in inside if path.parts[0] in ("tasks", "templates", "recipes")]
    package = [path for path in inside if path.parts[0] == PACKAGE.name]
    assert library
    assert names == {path.as_posix() for path in package} | {f"instruction_kit/library/{p.as_posix()}" for p in library}


def test_the_command_works_from_the_wheel_alone(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
sys.argv[1:] = ["list", "templates"]
import instruction_kit.cli
assert instruction_kit.__file__.startswith({str(tmp_path)!r})
instruction_kit.cli.main()
"""
    installed = Path(sys.executable).with_name("instruction-kit")
    assert run(sys.executable, "-c", code, cwd=tmp_path) == run(installed, "list", "templates")


# --- the tests' own walls ---------------------------------------------------------------------------------------------


def test_no_test_reaches_another_machine():
    import urllib.request

    with pytest.raises(NetworkRefusedError, match=re.escape("example.org")):
        urllib.request.urlopen("http://example.org/")
    with pytest.raises(NetworkRefusedError, match=re.escape("192.0.2.1")):
        urllib.request.urlopen("http://192.0.2.1/")
