"""The check of the platforms: this checkout passes it, and each part that is left out is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adweir.platforms import REGISTRY, Platforms
from adweir.runtime.settings import queue_part
from ops.platform_check import ROOT, check
from sandbox.platforms import stand_ins
from sandbox.platforms.base import StandIn

STAND_INS = {str(one.platform): one for one in stand_ins()}
LISTED = f"[{', '.join(map(queue_part, REGISTRY))}]"
"""The platforms, as template.yaml has them."""
PARTS = ("template.yaml", "README.md", "docs/platforms.md", "events/collect", "events/webhooks")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the check reads."""
    for part in PARTS:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        copy: Callable[[Path, Path], object] = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    folders = "layers/core/adweir/platforms"
    shutil.copytree(ROOT / folders, tmp_path / folders, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_this_checkout_is_up_to_date() -> None:
    assert check(ROOT, REGISTRY, STAND_INS) == []


def test_a_folder_that_is_not_registered_is_found(checkout: Path) -> None:
    only_meta = Platforms({"meta_ads": "adweir.platforms.meta"})
    edit(checkout / "template.yaml", LISTED, "[MetaAds]")
    others = sorted(spec.package.rpartition(".")[2] for spec in REGISTRY.specs() if spec.name != "meta_ads")
    assert check(checkout, only_meta, {"meta_ads": STAND_INS["meta_ads"]}) == [
        f"{folder}: layers/core/adweir/platforms/__init__.py does not register the folder: add its line to REGISTRY"
        for folder in others
    ]


def test_a_platform_that_the_template_lacks_is_found(checkout: Path) -> None:
    edit(checkout / "template.yaml", LISTED, LISTED.replace("AmazonAds", "StrangeAds"))
    assert check(checkout, REGISTRY, STAND_INS) == [
        "amazon_ads: template.yaml is not up to date: add AmazonAds to the loop Collect",
        "StrangeAds: template.yaml has it in the loop Collect, but there is no such platform: remove it",
    ]


def test_a_platform_that_the_sandbox_does_not_speak_is_found(checkout: Path) -> None:
    (finding,) = check(checkout, REGISTRY, {name: one for name, one in STAND_INS.items() if name != "amazon_ads"})
    assert finding == "amazon_ads: no stand-in in the sandbox: add a package to sandbox/platforms and to its FOLDERS"


def test_a_base_url_that_the_sandbox_does_not_serve_is_found(checkout: Path) -> None:
    deaf: StandIn = replace(
        STAND_INS["amazon_ads"], base_urls=lambda server: {"api": server, "sns": server, "tokens": server}
    )
    assert check(checkout, REGISTRY, STAND_INS | {"amazon_ads": deaf}) == [
        "amazon_ads: the sandbox's base_urls lacks 'token', which SPEC.urls names",
        "amazon_ads: the sandbox's base_urls has 'tokens', which SPEC.urls does not name",
    ]


@pytest.mark.parametrize(
    ("removed", "finding"),
    [
        ("events/collect/amazon-task.json", "amazon_ads: events/collect has no example from its queue"),
        ("events/webhooks/[bm][ae][dt]*.json", "meta_ads: events/webhooks has no example of a delivery"),
    ],
)
def test_a_missing_example_is_found(checkout: Path, removed: str, finding: str) -> None:
    for path in checkout.glob(removed):
        path.unlink()
    (found,) = check(checkout, REGISTRY, STAND_INS)
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("document", "old", "new", "finding"),
    [
        ("README.md", "Amazon Ads", "Amazon", "amazon_ads: README.md does not name Amazon Ads"),
        (
            "README.md",
            "| `tiktok_ads` |",
            "| TikTok |",
            "tiktok_ads: README.md has no row with its credential's fields",
        ),
        (
            "docs/platforms.md",
            "| TikTok Ads | TikTok,",
            "| TikTok | TikTok,",
            "tiktok_ads: docs/platforms.md has no row under 'Getting credentials'",
        ),
        ("docs/platforms.md", "## Meta Ads", "## Meta", "meta_ads: docs/platforms.md has no section '## Meta Ads'"),
        (
            "docs/platforms.md",
            "`region`",
            "the region",
            "amazon_ads: its section of docs/platforms.md does not name `region`",
        ),
        (
            "docs/platforms.md",
            "| `targets` |",
            "| target lists |",
            "amazon_ads: its section of docs/platforms.md does not name `targets`",
        ),
    ],
)
def test_documentation_that_lags_behind_is_found(
    checkout: Path, document: str, old: str, new: str, finding: str
) -> None:
    edit(checkout / document, old, new)
    assert check(checkout, REGISTRY, STAND_INS) == [finding]


@pytest.mark.parametrize(
    ("file", "content", "finding"),
    [
        ("normalize.py", None, "half: its folder has no normalize.py"),
        ("client.py", "", "half: client.py does not define connect"),
        ("webhook.py", "HOOKS = None", "half: its folder has a webhook.py, but SPEC.webhook is False"),
    ],
)
def test_a_folder_that_lacks_a_part_is_found(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str | None, finding: str
) -> None:
    package = f"half_platform_{file.removesuffix('.py')}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from adweir.model.platforms import Platform\n"
        "from adweir.platforms.base import PlatformSpec\n"
        "from adweir.platforms.credentials import CredentialFields\n"
        'SPEC = PlatformSpec(name=Platform("half"), title="Half", package=__name__, credential=CredentialFields,'
        " urls={}, datasets={})\n"
    )
    (folder / "client.py").write_text("def connect(): ...\n")
    (folder / "normalize.py").write_text("NORMALIZER = None\n")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)

    found = check(checkout, REGISTRY.with_platform("half", package), STAND_INS)

    assert any(one.startswith(finding) for one in found)


def test_invoices_without_a_reader_and_a_look_back_are_found(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "billing_platform"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from dataclasses import replace\n"
        "from adweir.model.datasets import Dataset\n"
        "from adweir.model.platforms import Platform\n"
        "from adweir.platforms.base import DatasetSpec, datasets\n"
        "from adweir.platforms.tiktok_ads import SPEC as TIKTOK\n"
        "SPEC = replace(TIKTOK, name=Platform('billing'), package=__name__, datasets=datasets("
        "DatasetSpec(Dataset.INVOICES)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    found = check(checkout, REGISTRY.with_platform("billing", "billing_platform"), STAND_INS)

    assert any(one.startswith("billing: its folder has no invoices.py") for one in found)
    assert "billing: SPEC.datasets[invoices] does not say lookback_months" in found


def test_two_platforms_of_one_name_are_found(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin_platform").mkdir()
    (tmp_path / "twin_platform/__init__.py").write_text(
        "from dataclasses import replace\n"
        "from adweir.model.platforms import Platform\n"
        "from adweir.platforms.meta import SPEC as META\n"
        'SPEC = replace(META, name=Platform("twin"))\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = check(checkout, REGISTRY.with_platform("twin", "twin_platform"), STAND_INS)
    assert "twin: another platform is called 'meta' too: choose another alias in its SPEC" in found
