import pytest

from tests.lessons.roads import Roads


@pytest.fixture(scope="session")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Roads:
    return Roads(tmp_path_factory.mktemp("roads"))
