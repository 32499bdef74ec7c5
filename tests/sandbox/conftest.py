"""Worlds that the tests of several rooms start from."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.fakes.cluster import Api, bare_api, now
from tutor.sandbox.cluster.keys import ClusterKeys, load_or_make


@pytest.fixture(scope="session")
def cluster_keys(tmp_path_factory: pytest.TempPathFactory) -> ClusterKeys:
    """Keys that all tests share: to make an RSA key takes longer than most of them."""
    folder = tmp_path_factory.mktemp("keys")
    return load_or_make(folder, hosts=("localhost", "127.0.0.1"), now=now())


@pytest.fixture
async def api(tmp_path: Path, cluster_keys: ClusterKeys) -> AsyncGenerator[Api]:
    """The API of an empty cluster with a namespace `here`, without a socket."""
    async with bare_api(tmp_path, cluster_keys) as made:
        yield made
