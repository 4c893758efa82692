"""`${secret:NAME}`: how it is written, and that everything which says where it may stand says the same."""

import re
from pathlib import Path

import pytest
from django import forms
from django.apps import apps

from core.errors import InvalidInput
from frontend import sso_forms
from frontend.secret_forms import SecretOrName
from generation.engine.config.load import load_config
from generation.engine.errors import ConfigError
from generation.engine.templates.catalogue import templates
from tenants.vault.models import NamedSecret
from tenants.vault.references import FIELDS, OIDC_CLIENT_SECRET, name_in

DOCS = Path(__file__).parents[2] / "docs" / "operations" / "secrets.md"


@pytest.mark.parametrize("name", ["a", "idp", "idp-2_b", "a" * 63])
def test_a_reference_holds_one_name(name: str) -> None:
    assert name_in(f"${{secret:{name}}}", OIDC_CLIENT_SECRET) == name


@pytest.mark.parametrize("text", ["", "secret", "$secret:idp", "{secret:idp}", "${idp}", "${HOME}", "a$b{c}"])
def test_any_other_text_is_the_secret_itself(text: str) -> None:
    assert name_in(text, OIDC_CLIENT_SECRET) is None


@pytest.mark.parametrize(
    "text",
    [
        "${secret:}", "${secret}", "${secret:IDP}", "${secret:1dp}", "${secret:-idp}", "${secret: idp}", "${ secret:idp}",
        "${SECRET:idp}", "${secret:idp", "x${secret:idp}", "${secret:idp}x", "${secret:idp}${secret:idp}", "${secret:globex/idp}",
        "${secrets.idp}", f"${{secret:{'a' * 64}}}", "${secret:idp}\n",
    ],
)  # fmt: skip
def test_what_was_meant_as_a_reference_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        name_in(text, OIDC_CLIENT_SECRET)

    assert caught.value.errors[0]["pointer"] == "/client_secret"


# -- one list ------------------------------------------------------------------------------------------------


def test_the_columns_that_name_a_secret_are_those_of_the_listed_fields() -> None:
    columns = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is NamedSecret
    }

    assert columns == {(field.model, field.column) for field in FIELDS}
    assert len({field.key for field in FIELDS}) == len(FIELDS)


def test_every_listed_field_is_in_a_form_and_no_form_has_another() -> None:
    shown = [
        (field.place, name)
        for form in vars(sso_forms).values()
        if isinstance(form, type) and issubclass(form, forms.Form)
        for name, field in form.base_fields.items()
        if isinstance(field, SecretOrName)
    ]

    assert [(field, field.form_field) for field in FIELDS] == shown


def test_the_documentation_lists_them() -> None:
    _, _, section = DOCS.read_text(encoding="utf-8").partition("## Named secrets")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE)

    assert rows == [(field.key, field.label) for field in FIELDS]


def test_a_config_that_names_a_secret_is_told_where_secrets_are_named() -> None:
    text = templates()[0].yaml.replace("name: ", "name: ${secret:idp}", 1)

    with pytest.raises(ConfigError) as caught:
        load_config(text)

    [problem] = [one for one in caught.value.problems if one.code == "secret_not_taken"]
    for field in FIELDS:
        assert field.label[0].lower() + field.label[1:] in problem.message
