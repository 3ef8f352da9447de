"""What botocore works out anew, once: service descriptions for each session, who asks for each request.

Each botocore session reads its own copy of partitions, defaults and service models, megabytes of JSON. One copy for all
sessions saves 50 ms of a cold start for every client but the first, and msgspec instead of json 40 ms for the first.
For each kind of description it lists the folders of all four hundred services to see whether one is there: 12 ms.

The header User-Agent is put together twice for each request, which takes a tenth of the CPU of a small one. Here it is
the session's own text; it lacks botocore's statistics about its features, which nobody here reads.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from botocore.config import Config
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session


class _Files(JSONFileLoader):
    """Reads what botocore's own file loader reads."""

    def load_file(self, file_path: str) -> Any:
        """The decoded `<file_path>.json` or `.json.gz`, None when neither exists."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        return msgspec.json.decode(gzip.decompress(packed.read_bytes())) if packed.is_file() else None


class _Descriptions(Loader):
    """Looks for the service that is asked for, in place of all four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:
        """What `load_service_model` asks whether a service is in it."""
        return _Described(self, type_name)


class _Described(list[str]):
    """The services with a description of a type. It only says whether one is among them."""

    def __init__(self, loader: Loader, type_name: str) -> None:
        super().__init__()
        self._loader, self._type = loader, type_name

    def __contains__(self, service: object) -> bool:
        try:
            return bool(self._loader.list_api_versions(str(service), self._type))
        except DataNotFoundError:
            return False


@cache
def _loader() -> Loader:
    return _Descriptions(file_loader=_Files())


def share(session: Session) -> Session:
    """Let a session that has made no client yet read the common copy; returns it."""
    session.register_component("data_loader", _loader())
    session.set_default_client_config(Config(user_agent=session.user_agent()))
    return session
