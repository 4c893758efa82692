"""The marks in document ids: anybody finds them, only the holder of the secret key can attribute them."""

import time

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from compliance.evidence.marks import PUBLIC_KEY, KeyedMark, Mark, PublicMark, is_marked, marked_share

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SECRET = bytes(range(16))


def spelled(body: int, tag: int, prefix: str = "CI") -> str:
    """An id written digit by digit, independently of the code under test."""
    shifts = range(35, -1, -5)
    return prefix + "".join(ALPHABET[number >> shift & 31] for number in (body, tag) for shift in shifts)


def marked_ids(mark: Mark, n: int = 500) -> list[str]:
    bodies = np.random.default_rng(3).integers(0, 1 << 40, n, dtype=np.uint64)
    return [spelled(int(body), int(tag)) for body, tag in zip(bodies, mark.tag(bodies), strict=True)]


def test_the_public_tag_is_the_top_of_one_aes_block_under_the_published_key() -> None:
    body = 0x12_3456_789A
    encryptor = Cipher(algorithms.AES(PUBLIC_KEY), modes.ECB()).encryptor()
    block = encryptor.update(body.to_bytes(8, "little") + bytes(8))

    assert PublicMark().tag(np.array([body], np.uint64))[0] == int.from_bytes(block[:8], "little") >> 24


def test_tags_do_not_depend_on_the_batch_they_are_made_in() -> None:
    bodies = np.arange(1000, dtype=np.uint64)

    for mark in (PublicMark(), KeyedMark(PUBLIC_KEY, SECRET)):
        alone = [int(mark.tag(bodies[i : i + 1])[0]) for i in range(0, 1000, 97)]
        assert mark.tag(bodies)[::97].tolist() == alone
        assert mark.tag(bodies[::2]).tolist() == mark.tag(bodies)[::2].tolist()


def test_tags_fit_forty_bits_and_an_empty_batch_is_fine() -> None:
    bodies = np.random.default_rng(1).integers(0, 1 << 40, 10_000, dtype=np.uint64)

    for mark in (PublicMark(), KeyedMark(PUBLIC_KEY, SECRET)):
        tags = mark.tag(bodies)
        assert tags.dtype == np.uint64
        assert tags.max() < 1 << 40
        assert len(mark.tag(bodies[:0])) == 0


def test_the_keyed_mark_shares_the_public_bits_and_hides_the_others() -> None:
    bodies = np.arange(10_000, dtype=np.uint64)
    public, keyed = PublicMark().tag(bodies), KeyedMark(PUBLIC_KEY, SECRET).tag(bodies)

    assert np.array_equal(public >> np.uint64(24), keyed >> np.uint64(24))
    assert np.mean((public ^ keyed) & np.uint64(0xFFFFFF) == 0) < 0.001


def test_anybody_finds_either_mark_but_only_the_key_attributes_it() -> None:
    ours, theirs = marked_ids(KeyedMark(PUBLIC_KEY, SECRET)), marked_ids(KeyedMark(PUBLIC_KEY, bytes(16)))

    assert marked_share(ours) == marked_share(theirs) == marked_share(marked_ids(PublicMark())) == 1.0
    assert marked_share(ours, KeyedMark(PUBLIC_KEY, SECRET)) == 1.0
    assert marked_share(theirs, KeyedMark(PUBLIC_KEY, SECRET)) == 0.0


def test_random_ids_of_the_same_shape_pass_about_once_in_65536() -> None:
    rng = np.random.default_rng(11)
    numbers = rng.integers(0, 1 << 40, (200_000, 2))
    ids = [spelled(int(body), int(tag)) for body, tag in numbers]

    assert is_marked(ids).sum() <= 12  # 3 expected; P(more than 12) < 1e-4 for a Poisson of 3.05


def test_ids_of_another_shape_and_nulls_carry_no_mark_and_keep_their_place() -> None:
    good = marked_ids(PublicMark(), 2)
    bad = ["", None, "4711", good[0] + "X", "12" + good[0][2:], "CIIIIIIIIIIIIIIIII", "CIäöüäöüäö"]

    assert is_marked(pa.array([good[0], *bad, good[1].lower()])).tolist() == [True, *[False] * 7, True]


def test_sliced_chunked_and_dictionary_columns_give_the_same_answer() -> None:
    ids = [*marked_ids(PublicMark(), 50), *["not one of ours!!"] * 50]
    plain = pa.array(ids)

    expected = is_marked(plain)[30:80].tolist()
    assert is_marked(plain.slice(30, 50)).tolist() == expected
    assert is_marked(pa.chunked_array([plain.slice(30, 10), plain.slice(40, 40)])).tolist() == expected
    assert is_marked(pa.chunked_array([plain.dictionary_encode().slice(30, 50)])).tolist() == expected
    assert is_marked(pa.chunked_array([], pa.string())).tolist() == []


def test_there_is_no_share_of_no_ids() -> None:
    with pytest.raises(ValueError, match="at least one id"):
        marked_share([])


def test_a_secret_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16, 24 or 32 bytes, got 5"):
        KeyedMark(PUBLIC_KEY, b"short")


@pytest.mark.parametrize("mark", [PublicMark(), KeyedMark(PUBLIC_KEY, SECRET)])
def test_a_tag_costs_less_than_thirty_nanoseconds(mark: Mark) -> None:
    bodies: NDArray[np.uint64] = np.arange(1_000_000, dtype=np.uint64)

    def seconds() -> float:
        start = time.process_time()
        mark.tag(bodies)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) / len(bodies) < 30e-9
