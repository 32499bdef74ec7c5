"""The words that every room of the cluster shares."""

import random
import uuid

from tutor.sandbox.kinds import random_uuid


def test_random_uuid_of_any_bits_is_of_version_4() -> None:
    bits = random.Random(7)
    for number in (0, 2**128 - 1, *(bits.getrandbits(128) for _ in range(100))):
        made = uuid.UUID(random_uuid(number))
        assert str(made) == random_uuid(number)
        assert (made.version, made.variant) == (4, uuid.RFC_4122)


def test_random_uuids_of_different_bits_differ() -> None:
    bits = random.Random(7)
    assert len({random_uuid(bits.getrandbits(128)) for _ in range(1000)}) == 1000
