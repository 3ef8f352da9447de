"""The Findings table: what was found out about the stored data, and what is in quarantine; kept for a limited time."""

from adweir.store.findings.reports import KEEP, Findings

__all__ = ["KEEP", "Findings"]
