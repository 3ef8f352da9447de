"""The documents' commands do what the documents say: the blocks run as they stand, in their own sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.home import Home
from support.documents import DOCUMENTS, Block, blocks
from support.river import command_environment
from support.template import ROOT

README = "README.md"
NOT_RUN = {
    (README, "make demo"): "the demonstration, which has tests of its own, and the tests themselves",
    (README, "make deploy"): "needs an AWS account",
    ("docs/api.md", 'curl -s -H "Authorization: Bearer $KEY" "$API/api/v1/exports/'): (
        "needs an export of yours; tests/integration/test_exports.py asks for one"
    ),
    ("docs/operations.md", "make deploy"): "needs an AWS account",
    ("docs/operations.md", "export ADWEIR_STACK="): "needs an AWS account",
    ("docs/operations.md", "API=$(aws cloudformation describe-stacks"): "needs an AWS account",
    ("docs/operations.md", "aws cloudformation describe-stack-events"): "needs an AWS account",
    ("docs/operations.md", "aws dynamodb list-backups"): "needs an AWS account",
    ("docs/operations.md", "aws cloudformation create-change-set"): "needs an AWS account",
    ("docs/operations.md", "aws s3api list-object-versions"): "needs an AWS account",
    ("docs/operations.md", ".venv/bin/adweir raw"): "needs a key of yours; tests/integration/test_ops_raw.py runs it",
    ("docs/operations.md", ".venv/bin/python -m pytest --dynamodb"): "the tests themselves, on a DynamoDB of your own",
    ("docs/operations.md", "make sam"): "needs Docker",
    ("docs/specs.md", "make deploy"): "needs an AWS account",
    ("docs/anomalies.md", ".venv/bin/adweir detect"): (
        "needs a file of yours; tests/integration/test_ops_detect_command.py runs it"
    ),
    ("docs/mmm.md", ".venv/bin/adweir mmm show ACCOUNT"): (
        "needs half a year of an account's days; tests/integration/test_ops_mix_stored.py runs it"
    ),
    ("docs/library.md", ""): "tests/contract/test_contract_library_docs.py runs them",
    ("docs/workflows.md", "import adweir"): "tests/unit/test_pipeline_flows.py runs it",
    (
        "docs/features.md",
        "import boto3",
    ): "needs SageMaker; tests/unit/test_store_feature_group.py holds what is created",
    ("CONTRIBUTING.md", ".venv/bin/python -m pytest"): "the tests themselves",
    ("CONTRIBUTING.md", "make soak"): "takes minutes; tests/e2e/test_e2e_6e_soak.py runs its short form",
}
"""Blocks that no test runs, by document and how they begin, each with its reason."""
SESSION = """
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
[ ! -f .session ] || source .session
"""
KEEP = "\ndeclare -p $(compgen -v | grep -xE 'API|KEY|ACCOUNT') > .session 2> /dev/null || true\n"


def reason(block: Block) -> str:
    """Why a block is not run; "" for one that is run."""
    fits = (why for (name, begin), why in NOT_RUN.items() if block.document == name and block.text.startswith(begin))
    return next(fits, "")


def commands(path: Path) -> list[Block]:
    """The blocks of a document that are commands."""
    return [block for block in blocks(path) if block.language == "bash"]


RUN = [path for path in DOCUMENTS if any(not reason(block) for block in commands(path))]


def test_given_any_block_then_it_says_what_it_is_and_every_exception_is_still_needed() -> None:
    every = [block for path in DOCUMENTS for block in blocks(path)]

    assert {block.language for block in every} <= {"bash", "python", "json", "text", "mermaid", "sql"}
    assert {reason(block) for block in every} - {""} == set(NOT_RUN.values())
    assert all(reason(block) for block in every if block.language == "python")
    assert RUN[0] == ROOT / README


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh checkout with its virtual environment made, in which nothing was done yet."""
    folder = tmp_path_factory.mktemp("clone")
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    (folder / ".venv/bin").mkdir(parents=True)
    home = Home(folder / ".adweir")
    for name, command in {"python": "", "adweir": f"-m ops.cli --home '{home.path}'"}.items():
        script = folder / ".venv/bin" / name
        script.write_text(f"#!/bin/sh\nexec '{sys.executable}' {command} \"$@\"\n")
        script.chmod(0o755)
    (folder / ".venv/.ready").touch()
    try:
        yield folder
    finally:
        lifecycle.down(home, abandon=True)


def run(clone: Path, document: Path) -> list[tuple[Block, str]]:
    """Run a document's blocks one after another in one shell, as a reader does; what each of them printed."""
    there = [block for block in commands(document) if not reason(block)]
    mark = "=== a block begins"
    script = SESSION + "".join(f"echo '{mark}'\n{block.text}" for block in there) + KEEP
    environment = command_environment()
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    done = subprocess.run(  # noqa: S603  our own documents
        ["/bin/bash", "-c", script],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    said = done.stdout.split(f"{mark}\n")[1:]
    last = there[len(said) - 1]
    assert done.returncode == 0, f"{last.document}, line {last.line}: {said[-1]}\n{done.stderr}"
    return list(zip(there, said, strict=True))


@pytest.fixture(scope="module")
def readme(clone: Path) -> list[tuple[Block, str]]:
    return run(clone, ROOT / README)


def test_given_a_fresh_clone_when_the_readme_is_followed_then_data_is_pulled_queried_and_a_file_loaded(
    readme: list[tuple[Block, str]],
) -> None:
    def said(part: str) -> str:
        return next(text for block, text in readme if part in block.text)

    assert '"state":"succeeded"' in said("sync-account")
    assert '"rows_stored":0' not in said("sync-account")
    assert "meta_ads" in said("data_pipeline/retrieve")
    assert "meta_ads,20" in said("api/v1/reports")
    assert "loaded" in said("adweir drop")


@pytest.mark.parametrize("document", RUN[1:], ids=lambda path: path.name)
def test_given_the_readme_s_sandbox_when_a_document_is_followed_then_its_commands_work(
    readme: list[tuple[Block, str]], clone: Path, document: Path
) -> None:
    assert len(run(clone, document)) >= 1
