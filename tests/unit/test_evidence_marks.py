"""The marks in document ids: anybody finds them."""

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from compliance.evidence.marks import PUBLIC_KEY, PublicMark, is_marked

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def spelled(body: int, tag: int, prefix: str = "CI") -> str:
    """An id written digit by digit, independently of the code under test."""
    shifts = range(35, -1, -5)
    return prefix + "".join(ALPHABET[number >> shift & 31] for number in (body, tag) for shift in shifts)


def marked_ids(mark: PublicMark, n: int = 500) -> list[str]:
    bodies = np.random.default_rng(3).integers(0, 1 << 40, n, dtype=np.uint64)
    return [spelled(int(body), int(tag)) for body, tag in zip(bodies, mark.tag(bodies), strict=True)]


def test_the_public_tag_is_the_top_of_one_aes_block_under_the_published_key() -> None:
    body = 0x12_3456_789A
    encryptor = Cipher(algorithms.AES(PUBLIC_KEY), modes.ECB()).encryptor()
    block = encryptor.update(body.to_bytes(8, "little") + bytes(8))

    assert PublicMark().tag(np.array([body], np.uint64))[0] == int.from_bytes(block[:8], "little") >> 24


def test_tags_do_not_depend_on_the_batch_they_are_made_in() -> None:
    bodies = np.arange(1000, dtype=np.uint64)

    mark = PublicMark()
    alone = [int(mark.tag(bodies[i : i + 1])[0]) for i in range(0, 1000, 97)]
    assert mark.tag(bodies)[::97].tolist() == alone
    assert mark.tag(bodies[::2]).tolist() == mark.tag(bodies)[::2].tolist()


def test_tags_fit_forty_bits_and_an_empty_batch_is_fine() -> None:
    bodies = np.random.default_rng(1).integers(0, 1 << 40, 10_000, dtype=np.uint64)

    tags = PublicMark().tag(bodies)
    assert tags.dtype == np.uint64
    assert tags.max() < 1 << 40
    assert len(PublicMark().tag(bodies[:0])) == 0


def test_random_ids_of_the_same_shape_carry_no_mark() -> None:
    rng = np.random.default_rng(11)
    numbers = rng.integers(0, 1 << 40, (200_000, 2))
    ids = [spelled(int(body), int(tag)) for body, tag in numbers]

    assert is_marked(ids).sum() == 0  # 200,000 x 2**-40: one in five million


def test_marked_ids_are_found() -> None:
    assert is_marked(marked_ids(PublicMark())).all()


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
