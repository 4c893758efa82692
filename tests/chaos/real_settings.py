"""The platform's own settings with the shorter sense of time of the storm: for `--real`."""

from config.settings import *  # noqa: F403
from tests.chaos.settings import JOBS as _STORM
from tests.chaos.settings import LOGGING as _LOGGING

LOGGING = _LOGGING
JOBS = {**_STORM, "pipelines": "config.pipeline"}
