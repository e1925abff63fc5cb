"""Policies to and from the Hugging Face hub."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amp_sbx.common import archive
from wildrobot_gym.errors import PhysicsError, RunError
from wildrobot_gym.experiments.about_policy import license_of, read_results
from wildrobot_gym.experiments.hub.card import mastered, model_card
from wildrobot_gym.experiments.hub.settings import PullSettings, PushSettings
from wildrobot_gym.experiments.settings import RecordSettings
from wildrobot_gym.extras import require
from wildrobot_gym.files import check_free, folder_write
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import find_policy

POLICY, RESULTS, CONFIG, CARD, VIDEO = (
    "policy.zip",
    "results.json",
    "config.yaml",
    "README.md",
    "replay.mp4",
)  # the names in a repository
BESIDE = (RESULTS, CONFIG, CARD, VIDEO)
VIDEO_SECONDS = 6.0


@dataclass(frozen=True)
class PushResult:
    """What was pushed: the repository's address, and the names of its files."""

    url: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class PullResult:
    """What was pulled: a folder that `load_policy` takes, and its files."""

    folder: Path
    files: tuple[str, ...]


def push(
    policy: str | Path, repo: str, settings: PushSettings | None = None, report: Reporter = SILENT
) -> PushResult:
    """Upload a policy with its config, evaluation, video and model card.

    Args:
        policy: A .zip file, a run directory, or the name of a shipped policy.
        repo: Repository on the hub, "user/name". It is made where it is missing.
        settings: What goes with the policy.
        report: Receives progress and what was left out.

    Raises:
        MissingPackageError: The extra `hub` is not installed.
        RunError: There is no such policy, no evaluation of it, or the hub refuses.
        amp_sbx.CheckpointError: The policy's file is damaged or of another format.
    """
    s = settings or PushSettings()
    hub = require("huggingface_hub", "hub")
    file = find_policy(policy)
    results_file = s.results or file.parent / RESULTS
    results = read_results(results_file, file, _num_timesteps(file))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copyfile(file, folder / POLICY)
        shutil.copyfile(results_file, folder / RESULTS)
        if (file.parent / CONFIG).is_file():
            shutil.copyfile(file.parent / CONFIG, folder / CONFIG)
        has_video = not s.no_video and _add_video(file, folder / VIDEO, s.video, results, report)
        name = repo.rpartition("/")[2]
        license = license_of(file, s.license)
        card = model_card(results, name, license, VIDEO if has_video else None, repo)
        (folder / CARD).write_text(card, encoding="utf-8")
        files = tuple(sorted(path.name for path in folder.iterdir()))
        with _hub_errors(repo, "hf auth login"):
            api = hub.HfApi(library_name="wildrobot")
            # The name in full: the hub completes a bare one by the user's.
            repo = api.create_repo(repo, private=s.private or None, exist_ok=True).repo_id
            done = api.upload_folder(
                repo_id=repo, folder_path=folder, commit_message=s.message, allow_patterns=files
            )
    return PushResult(str(done.commit_url), files)


def pull(repo: str, out: Path, settings: PullSettings | None = None) -> PullResult:
    """Download a policy into a folder that `load_policy` takes.

    Only files with the names that `push` gives are taken. Nothing of them is executed.

    Args:
        repo: Repository on the hub, "user/name".
        out: The folder.
        settings: What to take.

    Raises:
        MissingPackageError: The extra `hub` is not installed.
        RunError: The folder exists or cannot be written, the hub refuses, or the repository has no
            policy.
        amp_sbx.CheckpointError: The policy's file is damaged or of another format.
    """
    s = settings or PullSettings()
    hub = require("huggingface_hub", "hub")
    check_free([out], s.force)
    older = BESIDE if (out / POLICY).is_file() else ()  # they would tell of another policy
    try:
        with folder_write(out, last=POLICY, stale=older) as folder:
            cache = folder / "cache"
            with _hub_errors(repo, "hf auth login, where the repository is private"):
                api = hub.HfApi(library_name="wildrobot")
                there = api.list_repo_files(repo, revision=s.revision)
                policy = _policy_file(there, s.file, repo)
                files = (POLICY, *(name for name in BESIDE if name in there))
                for name in (policy, *files[1:]):
                    api.hf_hub_download(repo, name, revision=s.revision, local_dir=cache)
            archive.read_meta(cache / policy)  # a damaged or foreign file stops here
            for name in files:
                os.replace(cache / (policy if name == POLICY else name), folder / name)
    except OSError as error:
        raise RunError(f"Cannot write into {out}: {error}. Choose another --out.") from error
    return PullResult(out, files)


def _num_timesteps(policy: Path) -> int:
    """How many steps a policy was trained for."""
    return int(archive.read_meta(policy)["counters"]["num_timesteps"])


def _add_video(
    policy: Path, out: Path, given: Path | None, results: dict[str, Any], report: Reporter
) -> bool:
    """Copy or record a video; False where this machine cannot draw."""
    if given is not None:
        if not given.is_file() or given.suffix != ".mp4":
            raise RunError(f"--video is {given}; allowed: an .mp4 file that exists.")
        shutil.copyfile(given, out)
        return True
    from wildrobot_gym.experiments.video import record_video

    speed = max(mastered(results), default=0.2)
    try:
        record_video(
            policy, out, RecordSettings(command=speed, seconds=VIDEO_SECONDS), report=report
        )
    except PhysicsError as error:
        report.warning(f"No video goes with the policy: {error}")
        return False
    return True


def _policy_file(there: list[str], wanted: str | None, repo: str) -> str:
    """The policy among a repository's files."""
    zips = [name for name in there if name.endswith(".zip") and ".." not in name.split("/")]
    if wanted is None and (POLICY in zips or len(zips) == 1):
        return POLICY if POLICY in zips else zips[0]
    if wanted in zips:
        return wanted
    listed = ", ".join(zips) or "none"
    choose = "no policy" if not zips else f"no {wanted}" if wanted else "several; pass --file"
    raise RunError(f"{repo} has {choose}. Its .zip files: {listed}.")


@contextmanager
def _hub_errors(repo: str, login: str) -> Iterator[None]:
    """Turn the hub's errors into RunError with what to do."""
    errors = require("huggingface_hub.errors", "hub")
    try:
        yield
    except errors.HFValidationError as error:
        raise RunError(f"{repo!r} is no repository on the hub: {error} Write user/name.") from error
    except errors.RepositoryNotFoundError as error:
        raise RunError(f"The hub has no {repo} that you may see. Log in by: {login}.") from error
    except errors.LocalTokenNotFoundError as error:
        raise RunError(f"The hub needs a token. Log in by: {login}.") from error
    except (errors.HTTPError, OSError) as error:  # the former is of httpx or its successor
        text = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise RunError(f"The hub did not take the request for {repo}: {text}") from error
