"""The inputs that mutations start from: samples of the platforms' documents, and the example events."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from fuzz.documents import Document
from fuzz.running import ROOT

SAMPLES = ROOT / "tests/samples"
EVENTS = ROOT / "events"


@cache
def sample(platform: str, name: str) -> Any:
    """A file of tests/samples, decoded."""
    return json.loads((SAMPLES / platform / f"{name}.json").read_text())


def answer(platform: str, name: str) -> Any:
    """The answer in a sample: what the platform sends."""
    found = sample(platform, name)
    return found["answer"] if "answer" in found else found["rows"]


@cache
def answers(platform: str, name: str) -> tuple[tuple[int, Document], ...]:
    """The answers of a sample that has several: (status, body)."""
    found = sample(platform, name)["answers"]
    return tuple((each.get("status", 200), Document.of(each["body"])) for each in found)


@cache
def events(function: str) -> tuple[Any, ...]:
    """The example events of a function."""
    return tuple(json.loads(path.read_text()) for path in sorted((EVENTS / function).glob("*.json")))
