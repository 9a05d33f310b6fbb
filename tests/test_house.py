"""The house's rules that a machine can hold: names, lengths, words, metrics, settings, documents."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "bot", "handlers", "middlewares", "orchestration", "crm", "db", "locales", "sandbox")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
NO_NAMES = {"utils", "helpers", "common", "core", "misc", "types", "constants", "mixins", "dto", "enums"}


@pytest.mark.parametrize("package", PACKAGES)
def test_our_packages_are_ours(package):
    module = importlib.import_module(package)

    assert Path(module.__file__).parent == ROOT / package
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    if package != "locales":
        assert [type(node) for node in tree.body] == [ast.Expr], "a top package's __init__ is one docstring"


def test_no_package_hides_below_tests():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_why_it_is_there_and_fits_in_a_head(path):
    text = path.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= 450
    assert path.stem not in NO_NAMES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_user_facing_words_are_in_locales(path):
    """Russian words stand in code only where they are a prompt's fixed headings or somebody else's own."""
    relative = path.relative_to(ROOT).as_posix()
    if relative.startswith(("bench/", "sandbox/", "locales/")) or relative in ALLOWED_RUSSIAN:
        return
    strings = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert [text for text in strings if re.search("[а-яё]", text, re.IGNORECASE) and text not in docstrings] == []


ALLOWED_RUSSIAN = {
    "orchestration/prompts.py",  # the block's headings, fixed to the letter
    "orchestration/guards/figures.py",  # how money and time are written
    "orchestration/guards/plain.py",  # short forms that end in a point
    "orchestration/guards/review.py",  # how streets are written
    "orchestration/guards/subjects.py",  # letters spelt out
    "bot/companies.py",  # letters spelt out for slugs
    "bot/demo_vendors.py",  # the sandbox bot's name
    "bot/demo_phones.py",
    "bot/demo_call.py",  # what the caller says
    "bot/demo_self_test.py",  # what the two clients say
    "crm/yclients/meaning.py",  # the vendor's words for countries and currencies
    "bot/rehearsal/evaluation.py",  # the name of somebody else whose visit stands there
    "bot/cli/dialogue.py",  # the terminal's own client has a name
}


def test_every_test_that_the_documents_name_is_there():
    for document in sorted((ROOT / "docs").rglob("*.md")):
        named = re.findall(r"tests/[a-z0-9_/]+\.py", document.read_text(encoding="utf-8"))
        assert [name for name in named if not (ROOT / name).exists()] == [], document.name


def test_every_metric_is_in_the_documents_and_the_other_way_round():
    for path in MODULES:
        relative = path.relative_to(ROOT)
        if (
            relative.parts[0] not in ("bench", "sandbox")
            and path.stem not in ("__main__", "env")
            and "versions" not in relative.parts
        ):
            importlib.import_module(".".join(relative.with_suffix("").parts).removesuffix(".__init__"))
    known = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("ai_admin_")}
    documented = set(re.findall(r"`(ai_admin_[a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))

    assert {name.removesuffix("_total") for name in documented} == known


def test_every_setting_is_in_the_documents_and_in_the_example():
    names = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for document in ("docs/install.md", ".env.example"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert [name for name in sorted(names) if name.removeprefix(PREFIX) not in text] == [], document


def test_no_document_or_module_names_a_machine_or_an_index():
    for path in [*MODULES, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("*.lock")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"index-url|/simple/|/root/|/home/", text), path
