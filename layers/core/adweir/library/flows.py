"""Workflows in their fluent form: `Workflow.build(...)`."""

from __future__ import annotations

from adweir.pipeline.workflows import Workflow

__all__ = ["Workflow"]
