"""The objects that the API server of a cluster begins with."""

from collections.abc import Iterator
from datetime import datetime

from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.cluster.settings import (
    BARE_OPEN_PATHS,
    NODE_ADDRESS,
    NODE_PORT,
    SERVICE_ADDRESS,
    SERVICE_NETWORK,
    ClusterSettings,
)
from tutor.sandbox.controllers import bootstrap
from tutor.sandbox.kinds import Object


def standard_objects(
    settings: ClusterSettings, keys: ClusterKeys, now: datetime
) -> Iterator[Object]:
    """What `bootstrap` makes for this cluster."""
    return bootstrap.objects(
        SERVICE_NETWORK,
        SERVICE_ADDRESS,
        (NODE_ADDRESS, NODE_PORT),
        _authentication(keys),
        now,
        () if settings.node else BARE_OPEN_PATHS,
    )


def _authentication(keys: ClusterKeys) -> dict[str, str]:
    return {
        "client-ca-file": keys.ca.pem,
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-client-ca-file": keys.front_proxy_ca.pem,
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-username-headers": '["X-Remote-User"]',
    }
