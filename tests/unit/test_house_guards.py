"""What must never come into this repository, and documents that must follow the code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("platform", "tenants", "generation", "evaluation", "compliance", "frontend")
ENV_READERS = {"env_text", "env_bool", "env_int", "env_places", "env_networks", "_read", "getenv"}
FOREIGN = {"XDG_DATA_HOME"}  # names of the operating system, explained with DATASYNTH_HOME


def test_the_folder_platform_is_an_import_root_and_never_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists(), "it would shadow the standard library's platform"


def test_no_lock_file_that_names_a_package_index_is_kept() -> None:
    for name in ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"):
        assert not (ROOT / name).exists()


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*")), ids=lambda path: path.name)
def test_requirements_pin_versions_and_name_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links)", text, re.MULTILINE)
    requirements = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert requirements
    assert all("==" in line for line in requirements)


@pytest.mark.parametrize("name", ["uv.txt", "runtime.txt", "dev.txt", "kms.txt", "exports.txt"])
def test_every_locked_requirement_has_a_digest(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")

    for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_every_dependency_is_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")

    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for requirement in wanted:
        name = re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~ ]", requirement)[0]).lower()
        assert re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE), (
            f"run `make lock`: {name} is missing"
        )


def test_init_files_of_packages_are_empty() -> None:
    full = [
        path.relative_to(ROOT).as_posix()
        for folder in (*CODE, "tests")
        for path in (ROOT / folder).rglob("__init__.py")
        if path.read_text(encoding="utf-8").strip()
    ]

    assert full in ([], ["platform/config/__init__.py"])  # Celery is found there


def settings_read_by_code() -> Iterator[str]:
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from _names_read(node)


def _names_read(node: ast.AST) -> Iterator[str]:
    """Literal names in env_text("NAME", …), os.environ.get("NAME") and os.environ["NAME"] when it is read."""
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        of_environ = isinstance(function, ast.Attribute) and ast.unparse(function.value) == "os.environ"
        if name in ENV_READERS or (of_environ and name in ("get", "pop")):
            yield str(node.args[0].value)
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value) == "os.environ"
        and isinstance(node.slice, ast.Constant)
    ):
        yield str(node.slice.value)


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    page = (ROOT / "docs" / "operations" / "configuration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", page, re.MULTILINE))

    assert documented == set(settings_read_by_code()) - FOREIGN


@pytest.mark.parametrize(
    "page",
    sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_between_documents_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_paths_that_documents_name_exist() -> None:
    """But for one that a recipe tells the reader to make."""
    pattern = (
        r"`((?:platform|tenants|generation|evaluation|compliance|frontend|tests|docs|examples)/[\w./-]+)`"
    )
    named = {
        path
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for path in re.findall(pattern, page.read_text(encoding="utf-8"))
    }

    missing = {path for path in named if not (ROOT / path).exists()}
    assert missing <= {"generation/engine/processes/treasury.py"}


def test_every_make_target_that_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))

    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"`make ([a-z0-9-]+)", page.read_text(encoding="utf-8")))
        assert named <= targets, f"{page.name} names {sorted(named - targets)}"
