"""Load every config of a release back with `load_dataset` and print what is there.

usage: python scripts/show_release.py EcuadorCrisisTikTok
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets

from builder.release.manifest import Manifest
from ecuador_crisis_tiktok import FEATURES, features_of


def main(folder: Path) -> None:
    """Print rows and an example of every config; fails when a config does not load."""
    datasets.disable_progress_bars()
    manifest = Manifest.read(folder)
    optional, version = tuple(manifest.optional_columns), manifest.schema_version
    os.chdir(folder.resolve().parent)
    print(f'\nload_dataset("{folder.name}", CONFIG) gives:')
    with tempfile.TemporaryDirectory() as cache:
        for config in FEATURES:
            loaded = datasets.load_dataset(folder.name, config, cache_dir=cache)
            rows = loaded["train"]
            if rows.features != features_of(config, optional, version):
                sys.exit(f"config {config} came back with other features than the schema's")
            print(f"  {config:<12}{rows.num_rows:>8,} rows, {len(rows.features)} columns")
        videos = datasets.load_dataset(folder.name, cache_dir=cache, split="train")
        heard = [row for row in videos if row["transcript"]]
        print("\none row of the default config, `videos`:")
        for column, value in (heard or list(videos))[0].items():
            print(f"  {column:<24}{str(value)[:90]}")
    print(f"\nThe release is in {folder.resolve()}")
    print(f"Open {folder.resolve() / 'README.md'} (the card) and")
    print(f"     {folder.resolve() / 'validation.html'} (what was checked).")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
