"""Configs and their versions: stored when valid, numbered, renamed, archived, audited, unseen by strangers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from core.models import AuditEvent
from core.tenancy import tenant_context
from generation import services
from generation.models import Config
from generation.queries import configs as queries
from generation.queries import runs
from tenants.models import Tenant
from tests.dataset_builders import ACTOR, make_config, make_run, small_text


def last_action() -> str:
    event = AuditEvent.objects.order_by("-seq").first()
    return event.action if event else ""


def test_a_valid_text_becomes_version_1_of_a_config_of_its_name(acme: Tenant) -> None:
    version = services.create_config(actor=ACTOR, text=small_text("first"))

    assert (version.config.name, version.number, len(version.digest)) == ("first", 1, 64)
    event = AuditEvent.objects.get(action="generation.config.create")
    assert (event.actor, event.target) == (ACTOR, f"generation.config:{version.config_id}")


def test_an_invalid_text_is_refused_with_every_problem_and_its_line(acme: Tenant) -> None:
    text = small_text().replace("months: 2", "months: 999").replace("employees: 12", "empoyees: 12")

    with pytest.raises(InvalidInput) as refused:
        services.create_config(actor=ACTOR, text=text)

    places = {(error["path"], error["line"]) for error in refused.value.errors}
    assert ("period.months", 4) in places
    assert ("companies[0].empoyees", 8) in places
    assert all(error["detail"] for error in refused.value.errors)
    assert not Config.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="generation").exists()


def test_a_name_belongs_to_one_config_at_a_time(acme: Tenant) -> None:
    config = make_config("taken").config

    with pytest.raises(Conflict, match="“taken”"):
        make_config("taken")

    services.archive_config(actor=ACTOR, config_id=config.pk)
    assert make_config("taken").config_id != config.pk
    with pytest.raises(Conflict, match="“taken”"):
        services.restore_config(actor=ACTOR, config_id=config.pk)


def test_a_changed_text_becomes_the_next_version(acme: Tenant) -> None:
    first = make_config()

    second = services.add_version(
        actor=ACTOR, config_id=first.config_id, text=small_text().replace("seed: 7", "seed: 8")
    )

    assert second.number == 2
    assert second.digest != first.digest
    assert last_action() == "generation.config.version"


def test_the_same_text_again_makes_no_version_and_no_event(acme: Tenant) -> None:
    first = make_config()

    again = services.add_version(actor=ACTOR, config_id=first.config_id, text=small_text())

    assert again == first
    assert last_action() == "generation.config.create"


def test_a_comment_changes_the_text_but_not_the_digest(acme: Tenant) -> None:
    first = make_config()

    second = services.add_version(
        actor=ACTOR, config_id=first.config_id, text=small_text() + "# for the audit\n"
    )

    assert second.number == 2
    assert second.digest == first.digest


def test_an_edit_of_an_older_revision_is_refused(acme: Tenant) -> None:
    config = make_config().config
    services.rename_config(actor=ACTOR, config_id=config.pk, name="renamed", revision=1)

    with pytest.raises(PreconditionFailed):
        services.archive_config(actor=ACTOR, config_id=config.pk, revision=1)


def test_an_archived_config_is_in_no_list_and_takes_no_version_until_restored(acme: Tenant) -> None:
    config = make_config().config
    services.archive_config(actor=ACTOR, config_id=config.pk)

    assert not queries.live_configs().exists()
    with pytest.raises(Conflict, match="archived"):
        services.add_version(actor=ACTOR, config_id=config.pk, text=small_text())

    services.restore_config(actor=ACTOR, config_id=config.pk)
    assert queries.live_configs().get() == config


def test_a_stranger_finds_nothing(globex: Tenant, acme: Tenant) -> None:
    config = make_config().config

    with tenant_context("globex"):
        assert not queries.live_configs().exists()
        with pytest.raises(NotFound):
            services.archive_config(actor="x", config_id=config.pk)


def test_the_server_reads_no_environment_for_a_config(acme: Tenant) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.create_config(actor=ACTOR, text=small_text().replace("Klein GmbH", '"${HOME}"'))

    assert "never reads its environment" in " ".join(error["detail"] for error in refused.value.errors)


def test_validation_estimates_a_good_config_and_writes_nothing(acme: Tenant) -> None:
    validation = services.validate_config(small_text())

    assert validation.problems == ()
    assert validation.estimate is not None
    assert validation.estimate.journal_lines > 0
    assert not Config.objects.exists()


def test_a_config_for_more_lines_than_a_run_may_have_is_a_problem_of_its_volume(
    acme: Tenant, settings: object
) -> None:
    settings.GENERATION_MAX_JOURNAL_LINES = 1_999  # type: ignore[attr-defined]  # the fixture of pytest-django

    validation = services.validate_config(small_text())

    assert [problem.code for problem in validation.problems] == ["quota_exceeded"]
    assert validation.problems[0].path == "volume.journal_lines_per_year"


def test_the_list_of_datasets_takes_few_queries_however_long(
    acme: Tenant, django_assert_max_num_queries: object
) -> None:
    for number in range(4):
        make_run(source=services.OfText(small_text(f"set-{number}")))

    with django_assert_max_num_queries(12):  # type: ignore[operator]  # the fixture of pytest-django
        rows = queries.dataset_rows()

    assert [row.name for row in rows] == ["set-3", "set-2", "set-1", "set-0"]
    assert all(row.last_run is not None and row.runs == 1 and row.version == 1 for row in rows)


def test_no_list_reads_the_texts_of_configs(acme: Tenant) -> None:
    """None shows them, and each may have a megabyte."""
    with tenant_context(acme.schema_name):
        config = make_config().config
        make_run(source=services.OfConfig(config.pk))

        with CaptureQueriesContext(connection) as captured:
            assert list(queries.config_versions(config))
            assert queries.dataset_rows()[0].last_run
            assert queries.dataset_detail(config).runs
            assert list(runs.matching_runs())
            assert runs.live_runs()
            assert runs.runs_page().rows

    assert not [query["sql"] for query in captured if '"text"' in query["sql"]]
