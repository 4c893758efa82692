"""Merkle roots and proofs against the reference values of Certificate Transparency."""

from hashlib import sha256

import pytest

from compliance.evidence.merkle import inclusion_proof, merkle_root, proves_inclusion

# Leaves and roots of the reference implementation of RFC 6962 (google/certificate-transparency).
LEAVES = [bytes.fromhex(leaf) for leaf in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_equal_the_reference_values(size: int) -> None:
    assert merkle_root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert merkle_root([]) == sha256(b"").digest()


def test_the_audit_path_equals_the_reference_path() -> None:
    # Path of the sixth leaf in the tree of eight (same source).
    assert [node.hex() for node in inclusion_proof(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_every_leaf_is_proved_and_nothing_else_is(size: int) -> None:
    leaves = [bytes([i]) for i in range(size)]
    root = merkle_root(leaves)

    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert proves_inclusion(proof, leaves[index], index, size, root)
        assert not proves_inclusion(proof, b"other", index, size, root)
        assert not proves_inclusion((*proof, root), leaves[index], index, size, root)
        assert not proves_inclusion(proof, leaves[index], index + size, size, root)
        assert not proof or not proves_inclusion(proof[:-1], leaves[index], index, size, root)


def test_a_leaf_that_does_not_exist_has_no_proof() -> None:
    with pytest.raises(IndexError, match="leaf 8 of 8"):
        inclusion_proof(LEAVES, 8)
