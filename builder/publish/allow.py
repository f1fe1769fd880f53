"""What may be published: files of known names, and in them no secret and no path of this machine.

Raw ids, usernames and identifiers are looked for by `validate`; this is about what a build or a
person could leave behind by accident.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

import ecuador_crisis_tiktok as schema
from builder.publish.problems import PublishRefused
from builder.release.assemble import released_files
from builder.release.manifest import AFTERWARDS

_CONFIGS = "|".join(schema.FEATURES)
ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:{_CONFIGS})/{schema.SPLIT}-\d{{5}}-of-\d{{5}}\.parquet",
        r"figures/[a-z0-9_-]+\.(?:svg|png|csv|html)",
        *(re.escape(name) for name in AFTERWARDS),
        re.escape(Path(schema.__file__).name),
        r"README\.md|DATASHEET\.md|CHECKLIST\.md|CITATION\.cff|citation\.bib",
        r"croissant\.json|schema_org\.json",
    )
)

_SECRETS = {
    "a token of the Hub": rb"\bhf_[A-Za-z0-9]{30,}\b",
    "a GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})\b",
    "an API key": rb"\bsk-[A-Za-z0-9_-]{20,}\b",
    "an AWS key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a TikTok access token": rb"\bclt\.[A-Za-z0-9._-]{20,}",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
_PATHS = rb"(?:/home/|/Users/)[\w.-]+/|(?<![\w/.-])/root/\w|\b[A-Za-z]:\\+Users\\+"
# variables whose very value must not be found in what leaves
_OURS = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY|CLIENT_KEY|ACCESS_KEY|CRISIS_KEY")
_SHORTEST_SECRET = 12


def is_allowed(path: str) -> bool:
    """Whether a file of this name belongs to a release."""
    return any(pattern.fullmatch(path) for pattern in ALLOWED)


def release_paths(folder: Path) -> list[str]:
    """The files of a release that are published: those of the manifest and those about it.

    Raises:
        PublishRefused: there is another file, or a link.
    """
    paths = sorted({*released_files(folder), *(n for n in AFTERWARDS if (folder / n).is_file())})
    odd = [path for path in paths if not is_allowed(path)]
    odd += [path for path in paths if (folder / path).is_symlink()]
    if odd:
        raise PublishRefused(
            f"{len(odd)} file(s) do not belong to a release: {', '.join(odd[:5])}",
            file=folder,
            way_out="move them out of the folder; only what docs/publishing.md lists is published",
        )
    return paths


def scan(folder: Path, paths: Iterable[str]) -> None:
    """Read every byte, and every text inside the Parquet files, for secrets and paths.

    Raises:
        PublishRefused: something was found; names the file and the kind, never the value.
    """
    patterns = {name: re.compile(pattern) for name, pattern in _searched().items()}
    for path in paths:
        for data in _bytes_of(folder / path):
            for kind, pattern in patterns.items():
                if pattern.search(data):
                    raise PublishRefused(
                        f"the release holds {kind}",
                        file=path,
                        way_out="do not publish it; build it again, and report this as a bug of "
                        "the package if it comes back"
                        + ("; revoke the token" if "token" in kind or "key" in kind else ""),
                    )


def _searched() -> dict[str, bytes]:
    """Kind of thing -> regular expression over bytes."""
    wanted = {**_SECRETS, "an absolute path of somebody's machine": _PATHS}
    for name, value in os.environ.items():
        if _OURS.search(name) and len(value) >= _SHORTEST_SECRET:
            wanted[f"the value of the token or key in {name}"] = re.escape(value.encode())
    for place in (Path.home(), Path.cwd()):
        if len(place.parts) > 2:
            wanted[
                f"the path of {'the home' if place == Path.home() else 'the working'} folder"
            ] = re.escape(str(place).encode())
    return wanted


def _bytes_of(path: Path) -> Iterator[bytes]:
    """A file as it is; a Parquet file also as the texts in it, which it holds compressed."""
    yield path.read_bytes()
    if path.suffix != ".parquet":
        return
    with pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=20_000):
            frame = pl.DataFrame(batch)
            for values in frame.get_columns():
                yield from _texts(values)


def _texts(values: pl.Series) -> Iterator[bytes]:
    """The distinct texts of a column, whatever they are nested in."""
    if isinstance(values.dtype, pl.List):
        yield from _texts(values.explode().drop_nulls())
    elif isinstance(values.dtype, pl.Struct):
        for name in values.struct.fields:
            yield from _texts(values.struct.field(name))
    elif values.dtype == pl.String:
        yield "\n".join(values.drop_nulls().unique().to_list()).encode()
