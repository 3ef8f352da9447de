"""The log of the rooms below `runtime`. Its lines go where those of the function go, with the keys of `model.trace`."""

from __future__ import annotations

import logging

log = logging.getLogger("adweir.parts")
