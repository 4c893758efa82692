"""`manage.py release_openapi`: promise what docs/api/openapi.yaml has, version by version, in docs/api/released."""

from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from core.openapi_changes import breaking_changes, promise_of

_API = Path(__file__).parents[4] / "docs" / "api"


class Command(BaseCommand):
    help = "Write docs/api/released from docs/api/openapi.yaml. A break of what was promised is refused."

    def handle(self, *args: Any, **options: Any) -> None:
        current = yaml.safe_load((_API / "openapi.yaml").read_text(encoding="utf-8"))
        released = _API / "released"
        promised = {
            file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in released.iterdir()
        }
        versions = sorted(promised.keys() | {path.split("/")[2] for path in current["paths"]})
        promises = {version: promise_of(current, version) for version in versions}
        if breaks := [
            one for version in promised for one in breaking_changes(promised[version], promises[version])
        ]:
            raise CommandError("This would break callers: " + "; ".join(breaks))
        for version, promise in promises.items():
            text = yaml.safe_dump(promise, sort_keys=False, allow_unicode=True, width=120)
            (released / f"{version}.yaml").write_text(text, encoding="utf-8")
            self.stdout.write(f"{version}: {len(promise['paths'])} paths are promised.")
