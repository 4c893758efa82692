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
        for version in sorted({path.split("/")[2] for path in current["paths"]}):
            file = _API / "released" / f"{version}.yaml"
            promised, promise = _read(file), promise_of(current, version)
            if breaks := breaking_changes(promised, promise):
                raise CommandError(f"{version} would break callers: " + "; ".join(breaks))
            file.write_text(
                yaml.safe_dump(promise, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8"
            )
            self.stdout.write(f"{version}: {len(promise['paths'])} paths, {len(promised['paths'])} before.")


def _read(file: Path) -> dict[str, Any]:
    """Empty for a version that was not promised before."""
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else {"paths": {}}
