"""Valkey as a doorbell: "look again at this job". A lost ring costs a reader two seconds, nothing else."""

import logging
from functools import cache
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.tenancy import tenant_context, tenant_key

logger = logging.getLogger(__name__)


def channel(tenant: str, job_id: UUID) -> str:
    with tenant_context(tenant):
        return tenant_key("jobs", job_id)


def announce(tenant: str, job_id: UUID) -> None:
    """Ring for everybody who follows the job; without Valkey nobody hears it and readers poll."""
    try:
        _client().publish(channel(tenant, job_id), b"")
    except (redis.RedisError, OSError) as error:
        logger.debug("no wake-up for job %s: %s", job_id, error)


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.VALKEY_URL, socket_timeout=1.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )
