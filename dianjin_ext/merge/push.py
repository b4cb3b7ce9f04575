"""Upload a merged folder to a model hub through huggingface_hub.

The address comes from HF_ENDPOINT and the token from HF_TOKEN, both in the environment; a token
that `hf auth login` stored is not read.
"""

import os
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError


class Hub:
    """A model repository, made ready before the work whose result goes there.

    Args:
        repo: `organisation/name`. It is made as a private one if there is none.

    Raises:
        DianjinError: There is no token, or the hub does not let it write there.
    """

    def __init__(self, repo: str) -> None:
        try:
            import huggingface_hub
        except ImportError as error:
            raise DianjinError(
                "pushing needs huggingface_hub: pip install huggingface_hub"
            ) from error
        token = os.environ.get("HF_TOKEN", "").strip()
        if not token:
            raise DianjinError("pushing needs an access token: set HF_TOKEN in the environment")
        self._api = huggingface_hub.HfApi(token=token)
        self._repo = repo
        if repo.count("/") != 1:
            raise DianjinError(f"push: expected organisation/name, got {repo!r}")
        self._call(self._api.create_repo, repo, private=True, exist_ok=True)

    def upload(self, folder: Path) -> str:
        """Upload all files of a folder in one commit: the repository changes as a whole.

        The hub checks the SHA-256 of every weight file. What the repository held under other names
        stays.

        Returns:
            The address of the commit.

        Raises:
            DianjinError: The upload failed; the repository is as it was.
        """
        done = self._call(
            self._api.upload_folder,
            repo_id=self._repo,
            folder_path=folder,
            commit_message=f"Upload {folder.resolve().name}",
        )
        return str(done.commit_url)

    def _call(self, function: Any, *args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        # Whatever stands between here and a hub may fail in a way of its own.
        except Exception as error:
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            raise DianjinError(
                f"{self._api.endpoint} refused {function.__name__} for {self._repo}: {reason}"
            ) from error
