"""From a credential to the connector of its spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adweir.model.errors import AuthExpired, NotFound, Unprocessable
from adweir.platforms.connector import Connector, Wiring
from adweir.platforms.described.buckets import BucketConnector
from adweir.platforms.described.calls import Calls
from adweir.platforms.described.connector import DescribedConnector
from adweir.platforms.described.language import read_spec
from adweir.platforms.described.serving import DescribedCredential

if TYPE_CHECKING:
    from adweir.model.entities import Credential


def described(credential: Credential, secret: Mapping[str, str], wiring: Wiring, *, buckets: bool = False) -> Connector:
    """The connector of a credential; with `buckets` also of specs that read one.

    Raises AuthExpired for one that lacks a field which its spec needs.
    """
    try:
        values = DescribedCredential.read(secret)
        name = wiring.route or values.spec or credential.label
        spec = read_spec(wiring.spec(name))
    except (Unprocessable, NotFound) as error:
        raise AuthExpired(error.message) from None
    missing = [field for field in spec.credential_fields() if not secret.get(field)]
    if missing:
        raise AuthExpired(f"the spec {name} needs of the credential: {', '.join(missing)}")
    if spec.bucket and not buckets:
        raise AuthExpired(f"the spec {name} reads a bucket: store its credential for the platform internal")
    if spec.bucket:
        return BucketConnector(name, spec, wiring)
    return DescribedConnector(name, spec, Calls(name, spec, secret, wiring), wiring.clock)
