"""A Dask cluster as an executor for the runs of a study."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from wildrobot_gym.errors import RunError
from wildrobot_gym.extras import require
from wildrobot_gym.reporting import SILENT, Reporter

TIMEOUT_S = 30.0


@contextmanager
def dask_executor(
    address: str, timeout_s: float = TIMEOUT_S, report: Reporter = SILENT
) -> Iterator[Executor]:
    """An executor whose tasks run on a Dask cluster's workers.

    Dask gives the task of a worker that dies to another worker.

    Args:
        address: The scheduler's address, such as tcp://10.0.0.1:8786, or its scheduler file
            (.json).
        timeout_s: Seconds to wait for the scheduler's answer.
        report: Receives the number of workers.

    Raises:
        MissingPackageError: The extra `cluster` is not installed.
        RunError: No scheduler answers.
    """
    Client = require("distributed", "cluster").Client
    by_file = address.endswith(".json")
    where = {"scheduler_file": address} if by_file else {"address": address}
    if by_file and not Path(address).is_file():  # the client would wait for it without end
        raise RunError(f"There is no Dask scheduler file {address}.")
    try:
        client = Client(**where, timeout=timeout_s, name="wildrobot-study")
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise RunError(
            f"No Dask scheduler answers at {address} within {timeout_s:g} s: {error} Start one by"
            " `dask scheduler`, which prints its address."
        ) from error
    with client:
        num_workers = len(client.scheduler_info(n_workers=-1)["workers"])
        wait = "" if num_workers else "; the runs wait for the first"
        report.info(f"Dask cluster at {address}, {num_workers} workers{wait}")
        yield client.get_executor()
