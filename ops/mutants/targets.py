"""What is mutated, and the tests that have to notice: fast unit tests and integration tests on moto, never e2e."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PACKAGES = ROOT / "layers/core"


@dataclass(frozen=True, slots=True)
class MutatedFile:
    """One file. `functions`: only these are mutated, where there are any. `conditions`: only what decides."""

    path: str
    functions: frozenset[str] = frozenset()
    conditions: bool = False

    @property
    def module(self) -> str:
        """`adweir.store.metrics.merge`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def file(self) -> Path:
        return _PACKAGES / self.path


@dataclass(frozen=True, slots=True)
class Group:
    """What one line of the table is about. `tests` are patterns of files under tests/."""

    name: str
    targets: tuple[MutatedFile, ...]
    tests: tuple[str, ...]

    def test_files(self) -> list[str]:
        """The files of the tests. Raises LookupError for a pattern that fits none."""
        found = []
        for pattern in self.tests:
            files = sorted((ROOT / "tests").glob(pattern))
            if not files:
                raise LookupError(f"tests/{pattern} fits no file")
            found += [str(file.relative_to(ROOT)) for file in files]
        return found


_METRICS = "adweir/store/metrics"
_OF_MERGE = ("unit/test_store_merge.py",)
_OF_SIGNATURES = ("unit/test_intake_signatures.py", "unit/test_platforms_*_webhook.py")
_OF_MONEY = (
    "unit/test_model_money.py",
    "unit/test_platforms_numbers.py",
    "unit/test_model_vocabulary.py",
    "unit/test_platforms_amazon_normalize.py",
    "unit/test_platforms_files.py",
    "unit/test_intake_push_format.py",
)
_OF_LEDGER = ("integration/test_ledger_*.py", "integration/test_lost_replies.py")


def _ledger() -> tuple[MutatedFile, ...]:
    files = sorted((_PACKAGES / "adweir/store/ledger").glob("*.py"))
    paths = [str(file.relative_to(_PACKAGES)) for file in files]
    return tuple(MutatedFile(path, conditions=True) for path in [*paths, "adweir/store/dynamo/keyed.py"])


GROUPS = (
    Group("merge", (MutatedFile(f"{_METRICS}/merge.py"),), _OF_MERGE),
    Group("coverage", (MutatedFile(f"{_METRICS}/coverage.py"),), ("unit/test_store_coverage*.py",)),
    Group("vanish", (MutatedFile(f"{_METRICS}/vanish.py"),), ("unit/test_store_mass_vanish.py",)),
    Group("buckets", (MutatedFile(f"{_METRICS}/buckets.py"),), ("unit/test_store_buckets.py",)),
    Group(
        "signatures",
        (
            MutatedFile("adweir/intake/doors/signatures.py"),
            MutatedFile("adweir/platforms/webhooks.py"),
            MutatedFile("adweir/platforms/meta/webhook.py"),
            MutatedFile("adweir/platforms/google_ads/webhook.py"),
            MutatedFile("adweir/platforms/tiktok_ads/webhook.py"),
        ),
        _OF_SIGNATURES,
    ),
    Group(
        "money",
        (
            MutatedFile("adweir/model/money.py"),
            MutatedFile("adweir/platforms/rounding.py"),
            MutatedFile("adweir/platforms/numbers.py"),
            MutatedFile("adweir/platforms/amazon_ads/rows.py", frozenset({"_figure", "_less", "_micros"})),
            MutatedFile("adweir/platforms/files/cells.py", frozenset({"number", "amount"})),
            MutatedFile("adweir/intake/doors/push_format.py", frozenset({"_amount"})),
        ),
        _OF_MONEY,
    ),
    Group("ledger", _ledger(), _OF_LEDGER),
    Group("reconciliation", (MutatedFile("adweir/quality/reconcile.py"),), ("unit/test_quality_reconcile.py",)),
)
