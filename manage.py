#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        sys.stderr.write(f"The database does not answer: {str(error).strip()}\n")
        sys.stderr.write("DATASYNTH_HOME or DATABASE_URL says which one is asked.\n")
        sys.exit(2)
