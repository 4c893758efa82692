"""Shapes of what the API takes and gives about configs, runs and files."""

from typing import Any

from rest_framework import serializers

from core.bodies import Body
from generation.models import Run
from generation.queries.preview import MAX_PAGE_SIZE
from generation.services import CONFIG_NAME, CONFIG_NAME_RULE, MAX_MONTHS, MAX_SEED

FILE_FORMATS = ["parquet", "csv", "json", "html", "txt", "xml", "dtd", "jsonl", "sql", "xlsx"]

MAX_CONFIG_CHARACTERS = 1 << 20
Shape = serializers.Serializer[Any]


def config_text(**options: Any) -> serializers.CharField:
    return serializers.CharField(
        trim_whitespace=False,
        max_length=MAX_CONFIG_CHARACTERS,
        help_text="A config in YAML 1.2 or JSON.",
        **options,
    )


def config_name(**options: Any) -> serializers.RegexField:
    return serializers.RegexField(
        CONFIG_NAME,
        max_length=63,
        trim_whitespace=False,
        error_messages={"invalid": CONFIG_NAME_RULE},
        **options,
    )


class Template(Shape):
    name = serializers.CharField(help_text="Name in addresses and requests.")
    title = serializers.CharField()
    description = serializers.CharField()
    industry = serializers.CharField()


class TemplateDetail(Template):
    yaml = serializers.CharField(help_text="The config of the template.")


class TemplateList(Shape):
    items = Template(many=True)


class ConfigText(Body):
    text = config_text()


class NewConfig(ConfigText):
    name = config_name(required=False, help_text="Left out: the name that the text gives to the dataset.")


class ConfigChange(Body):
    name = config_name()


class Estimate(Shape):
    journal_lines = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="Rows of all tables.")
    bytes = serializers.IntegerField(help_text="Size of all files.")
    memory_bytes = serializers.IntegerField(help_text="Memory of one worker.")
    cpu_seconds = serializers.FloatField(help_text="Work on one core.")
    shards = serializers.IntegerField(help_text="Units of work that can go on at once.")


class Config(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField(help_text="Number of the newest version.")
    runs = serializers.IntegerField(help_text="How many runs it has had.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ConfigDetail(Config):
    text = serializers.CharField(help_text="Text of the newest version.")
    digest = serializers.CharField(help_text="SHA-256 of its meaning: equal digests give equal data.")
    is_archived = serializers.BooleanField()


class ConfigVersion(Shape):
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of its meaning: equal digests give equal data.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ConfigVersionDetail(ConfigVersion):
    text = serializers.CharField()


class ConfigFilter(Shape):
    search = serializers.CharField(required=False, max_length=200, help_text="Part of the name.")


class NewRun(Body):
    config = serializers.UUIDField(required=False, help_text="Id of a stored config.")
    version = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Which version; left out: the newest.",
    )
    template = serializers.CharField(required=False, max_length=100, help_text="Name of a shipped template.")
    text = config_text(required=False)
    seed = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_SEED, help_text="Instead of the seed of the config."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [key for key in ("config", "template", "text") if key in attrs]
        if len(named) != 1:
            raise serializers.ValidationError("Name exactly one of config, template and text.")
        if "version" in attrs and "config" not in attrs:
            raise serializers.ValidationError({"version": ["Only a stored config has versions."]})
        return attrs


class Continuation(Body):
    months = serializers.IntegerField(
        default=1, min_value=1, max_value=MAX_MONTHS - 1, help_text="How many months are added."
    )


class RunFilter(Shape):
    state = serializers.ChoiceField(
        required=False, choices=["live", *Run.State.values], help_text="`live` is queued or running."
    )
    config = serializers.UUIDField(required=False, help_text="Runs of this config only.")
    search = serializers.CharField(required=False, max_length=200, help_text="Part of the name, or a number.")


class Gate(Shape):
    profile = serializers.CharField(source="gate_profile")
    verdict = serializers.CharField(source="gate_verdict", help_text="pass, fail, or empty while not judged.")
    checks_passed = serializers.IntegerField(allow_null=True)
    checks_total = serializers.IntegerField(allow_null=True)


class RunConfig(Shape):
    id = serializers.UUIDField(source="config_id")
    version = serializers.IntegerField()


class RunSummary(Shape):
    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="Counts the runs of the organisation.")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Run.State.values)
    reason = serializers.CharField(help_text="Why it is held or failed; else empty.")
    config = RunConfig(source="*")
    seed = serializers.IntegerField(min_value=0, max_value=MAX_SEED)
    months = serializers.IntegerField(
        allow_null=True, help_text="Months of books that were kept on; null: those of the config."
    )
    continues = serializers.UUIDField(allow_null=True, help_text="The run whose books it keeps on.")
    gate = Gate(source="*")
    estimated_journal_lines = serializers.IntegerField(source="estimated_lines")
    journal_lines = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True, help_text="Rows of all tables.")
    size_bytes = serializers.IntegerField(allow_null=True)
    engine_version = serializers.CharField()
    manifest_sha256 = serializers.CharField(help_text="Digest of manifest.json; empty until it is sealed.")
    downloadable = serializers.BooleanField(
        source="is_open", help_text="Released, or held and let out by an exception that has not ended."
    )
    opened_until = serializers.DateTimeField(
        allow_null=True, help_text="When the exception of a held run ends; null: no exception, or no end."
    )
    started_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(help_text="From the request to the end, or to now.")
    stage = serializers.CharField(allow_null=True, help_text="The stage under way, while it is live.")
    percent = serializers.FloatField(allow_null=True, help_text="Work done, while it is live.")


class Stage(Shape):
    name = serializers.CharField()
    state = serializers.CharField(help_text="waiting, running, done, failed, held or cancelled")
    done = serializers.IntegerField(help_text="Units of work that are done.")
    total = serializers.IntegerField(help_text="Units of work; 0 until the stage is reached.")
    fraction = serializers.FloatField()
    note = serializers.CharField(allow_blank=True)


class Progress(Shape):
    percent = serializers.FloatField()
    eta_seconds = serializers.IntegerField(allow_null=True)
    cancel_requested = serializers.BooleanField()
    last_event = serializers.IntegerField(source="last_seq")
    stages = Stage(many=True)


class RunInFull(RunSummary):
    progress = Progress()


class Event(Shape):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    type = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # the name is the API's


class EventList(Shape):
    items = Event(many=True)
    last = serializers.IntegerField(help_text="Pass as `after` for what happens next.")
    is_over = serializers.BooleanField(help_text="Nothing more will come, unless the run is resumed.")


class EventQuery(Shape):
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**53, default=0)


class FileFilter(Shape):
    table = serializers.SlugField(required=False, max_length=100)
    format = serializers.ChoiceField(required=False, choices=FILE_FORMATS)


class File(Shape):
    path = serializers.CharField(help_text="Path in the dataset folder.")
    table = serializers.CharField(help_text="Empty for manifest, report and other evidence.")
    format = serializers.CharField()
    rows = serializers.IntegerField(allow_null=True)
    columns = serializers.IntegerField(allow_null=True)
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class Table(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    is_label = serializers.BooleanField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()


class TableList(Shape):
    items = Table(many=True)


class PreviewQuery(Shape):
    page = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, default=1)
    size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE, default=100)
    columns = serializers.CharField(
        required=False, max_length=2000, default="", help_text="Names with commas between; left out: all."
    )


class Column(Shape):
    name = serializers.CharField()
    type = serializers.CharField()
    unit = serializers.CharField()
    description = serializers.CharField()
    role = serializers.CharField()
    null_share = serializers.FloatField()
    histogram = serializers.DictField(allow_null=True)


class Preview(Shape):
    table = serializers.CharField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    size = serializers.IntegerField()
    total_rows = serializers.IntegerField()
    columns = Column(many=True)
    rows = serializers.ListField(
        child=serializers.ListField(),
        help_text="Cells in the order of `columns`; decimals, dates as text.",
    )
