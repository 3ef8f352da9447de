"""Files as other tools export them, made of the world's numbers, each with what has to be stored of it.

Headers, marks, total rows, preambles and footers are those of real files and of the tools' documents. People in them
are invented. Nothing of adweir is used: its readers are written by others.
"""

from __future__ import annotations

from sandbox.exports.base import Export, Span, TrueRow, totals
from sandbox.exports.every import ad_exports, shop_exports

__all__ = ["Export", "Span", "TrueRow", "ad_exports", "shop_exports", "totals"]
