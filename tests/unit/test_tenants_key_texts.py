"""Secrets of keys as texts: checked slowly once, then remembered, also by those who waited to check the same."""

from concurrent.futures import ThreadPoolExecutor

from tenants.keys import hash_of, hash_secret, is_remembered, new_key, read_key

AT_ONCE = 60  # in a second, two at a time, some 40 can be checked


def test_many_requests_with_one_key_that_is_new_here_are_let_in_at_once() -> None:
    """Each checking for itself, the last ones would lose patience and be told that too many keys are checked."""
    key, text = new_key()
    kept = hash_secret(key.secret)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: hash_of(key, kept), range(AT_ONCE)))

    assert answers == [kept] * AT_ONCE
    assert is_remembered(text)


def test_of_all_hashes_that_count_the_secrets_own_is_told() -> None:
    key, _ = new_key()
    newer, own = (hash_secret(one.secret) for one in (new_key(key.key_id)[0], key))

    assert (hash_of(key, newer, own), hash_of(key, newer, own), hash_of(key, newer)) == (own, own, None)


def test_another_secret_of_the_same_key_is_not_let_in_by_it() -> None:
    key, text = new_key()
    other, _ = new_key(key.key_id)
    kept = hash_secret(key.secret)

    assert read_key(text) == key
    assert (hash_of(key, kept), hash_of(other, kept), hash_of(key, hash_secret(other.secret))) == (
        kept,
        None,
        None,
    )
