"""Who reads the files of an account's source and data type."""

from __future__ import annotations

from adweir.intake.load.drop_keys import OWN, OWN_INVOICES
from adweir.model.errors import BadInput
from adweir.model.ports import PlatformParser
from adweir.platforms.files.reading import FileReader, own_metrics

_READ = (OWN, OWN_INVOICES)


class OwnFiles:
    """Reads adweir's own columns; a `FileReaders`."""

    def __init__(self, parse_platform: PlatformParser) -> None:
        self.parse_platform = parse_platform
        self._metrics = own_metrics(parse_platform)

    def reader(self, _account_id: str, source: str, data_type: str, /) -> FileReader:
        """Raises BadInput for files of another source or data type."""
        if (source, data_type) == OWN:
            return self._metrics
        known = ", ".join("/".join(pair) for pair in _READ)
        message = f"no files of {source[:64]}/{data_type[:64]} are read; known: {known}"
        raise BadInput(message, [{"field": "key", "rule": "format"}])
