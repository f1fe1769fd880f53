"""The command line `ecuador-crisis`: one function a command, no logic."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="ecuador-crisis",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Builds, checks and releases the EcuadorCrisisTikTok dataset, and the next crisis's.\n\n"
    "Example: ecuador-crisis regenerate --work work --out EcuadorCrisisTikTok",
)


class Compression(StrEnum):
    """How simulated pages are compressed."""

    NONE = "none"
    GZ = "gz"
    ZST = "zst"


class Engine(StrEnum):
    """Where stages run."""

    LOCAL = "local"
    RAY = "ray"


class FigureLanguage(StrEnum):
    """Languages of figures."""

    EN = "en"
    ES = "es"


class TopicMethod(StrEnum):
    """How topics are found."""

    KEYNMF = "keynmf"
    CLUSTERS = "clusters"


class FrameModel(StrEnum):
    """Networks that look at frames."""

    EFFICIENTNET = "efficientnet-lite0"
    TIMESFORMER = "timesformer"


class Source(StrEnum):
    """Where downloads come from."""

    YT_DLP = "yt-dlp"
    FOLDER = "folder"


class Gate(StrEnum):
    """Who lets readers of a gated repository in."""

    AUTO = "auto"
    MANUAL = "manual"


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"ecuador-crisis {version('ecuador-crisis-tiktok')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error (any command).")
    ] = False,
) -> None:
    """Options of every command."""


def _stages(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


@app.command()
def new_campaign(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; new or empty.")],
    country: Annotated[
        str, typer.Option(help="ISO 3166 code whose numbers the scrubber knows; ZZ: none.")
    ] = "ZZ",
    language: Annotated[str, typer.Option(help="ISO 639-1 code of the transcripts.")] = "en",
    name: Annotated[
        str | None, typer.Option(help="Name of the campaign; default: the folder's.")
    ] = None,
) -> None:
    """Write a commented campaign to edit: the files of another crisis. It loads as it is.

    Example: ecuador-crisis new-campaign chile_2025 --country CL --language es
    """
    from builder.commands.new_campaign import run_new_campaign

    for line in run_new_campaign(folder, country=country, language=language, name=name):
        typer.echo(line)


@app.command()
def simulate(
    videos: Annotated[int, typer.Option(help="How many valid videos.", min=1)],
    out: Annotated[Path, typer.Option(help="Folder to write; new or empty.")],
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    campaign: Annotated[str, typer.Option(help="Embedded campaign or its folder.")] = (
        "ecuador_2024"
    ),
    compress: Annotated[Compression, typer.Option(help="Compress the pages.")] = Compression.NONE,
) -> None:
    """Make a SYNTHETIC campaign in the shape of Research API pages.

    Example: ecuador-crisis simulate --videos 51479 --seed 1 --out pages
    """
    from builder.config.campaign import Campaign
    from builder.run.progress import Progress
    from builder.sources.simulate.simulate import simulate as run

    with Progress("simulate", videos) as bar:
        summary = run(
            Campaign.load(campaign),
            videos=videos,
            seed=seed,
            out=out,
            compress=compress.value,
            progress=lambda done, total: bar.advance(done - bar.done),
        )
    typer.echo(f"wrote {summary.videos:,} synthetic videos and their planted faults to {out}")


@app.command()
def collect(
    out: Annotated[Path, typer.Option(help="Folder of pages; a source of regenerate.")],
    campaign: Annotated[str, typer.Option(help="Embedded campaign or its folder.")] = (
        "ecuador_2024"
    ),
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, UTC.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, UTC.")] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Tell requests and days; send nothing.")
    ] = False,
    calendar: Annotated[
        bool, typer.Option("--status", help="Show the state of every day; send nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Sleep until the quota starts again (00:00 UTC).")
    ] = False,
    recent: Annotated[
        bool, typer.Option("--recent", help="Also days that ended within the last 48 hours.")
    ] = False,
    credentials: Annotated[
        Path | None, typer.Option(help="File with client_key and client_secret (mode 0600).")
    ] = None,
    expect: Annotated[
        int | None, typer.Option(help="Videos you expect, for --estimate.", min=0)
    ] = None,
    requests_a_day: Annotated[int, typer.Option(help="Quota: requests.", min=1)] = 1_000,
    rows_a_day: Annotated[int, typer.Option(help="Quota: rows.", min=1)] = 100_000,
    ledger: Annotated[
        Path | None, typer.Option(help="Quota ledger, if not the one of this client.")
    ] = None,
    terms_a_query: Annotated[int, typer.Option(help="Terms one query may have.", min=1)] = 100,
    second_look: Annotated[
        float, typer.Option(help="Hours between two looks at an empty day.", min=0)
    ] = 1.0,
    base_url: Annotated[str, typer.Option(help="Address of the service, for tests.")] = (
        "https://open.tiktokapis.com"
    ),
    retry_wait: Annotated[float, typer.Option(help="Seconds of the first back-off.", min=0)] = 0.5,
    timeout: Annotated[float, typer.Option(help="Seconds one answer may take.", min=0.1)] = 30.0,
) -> None:
    """Collect the campaign's videos from TikTok's Research API, day by day.

    Credentials come from TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET, or a file. Run again to
    continue. Exit code 0: every day complete, 3: stopped by quota or service, the rest is named.

    Example: ecuador-crisis collect --out pages --from 2024-01-07 --to 2024-01-20
    """
    from builder.commands.collect import CollectOptions, run_calendar, run_collect, run_estimate

    wanted = CollectOptions(
        out=out,
        campaign=campaign,
        base_url=base_url,
        credentials=credentials,
        first=first,
        last=last,
        recent=recent,
        wait=wait,
        expect=expect,
        requests_a_day=requests_a_day,
        rows_a_day=rows_a_day,
        ledger=ledger,
        max_terms=terms_a_query,
        second_look_hours=second_look,
        retry_wait=retry_wait,
        timeout=timeout,
    )
    if calendar or estimate:
        for line in run_calendar(out, campaign) if calendar else run_estimate(wanted):
            typer.echo(line)
    elif code := run_collect(wanted, typer.echo):
        raise typer.Exit(code)


@app.command()
def download(
    work: Annotated[Path, typer.Option(help="Work folder of a build.")],
    videos_dir: Annotated[Path, typer.Option(help="Folder for the videos, <id>.mp4.")],
    backend: Annotated[Source, typer.Option(help="Where they come from.")] = Source.YT_DLP,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="The folder of --backend folder.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Videos to try, at most.", min=1)] = None,
    pause: Annotated[float, typer.Option(help="Seconds between two videos.", min=0)] = 3.0,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="You read the notice about TikTok's terms.")
    ] = False,
) -> None:
    """Download the videos of a build that are not there yet. Run again to continue.

    Exit code 3: stopped by the service, or by an extractor that is broken.

    Example: ecuador-crisis download --work work --videos-dir videos --limit 100
    """
    from builder.commands.download import DownloadOptions, run_download

    wanted = DownloadOptions(work, videos_dir, backend.value, source, limit, pause, accept_terms)
    if code := run_download(wanted, typer.echo):
        raise typer.Exit(code)


@app.command()
def refresh(
    work: Annotated[Path, typer.Option(help="Work folder of a build.")],
    credentials: Annotated[
        Path | None, typer.Option(help="File with client_key and client_secret (mode 0600).")
    ] = None,
    requests_a_day: Annotated[int, typer.Option(help="Quota: requests.", min=1)] = 1_000,
    rows_a_day: Annotated[int, typer.Option(help="Quota: rows.", min=1)] = 100_000,
    ledger: Annotated[
        Path | None, typer.Option(help="Quota ledger, if not the one of this client.")
    ] = None,
    base_url: Annotated[str, typer.Option(help="Address of the service, for tests.")] = (
        "https://open.tiktokapis.com"
    ),
    retry_wait: Annotated[float, typer.Option(help="Seconds of the first back-off.", min=0)] = 0.5,
    timeout: Annotated[float, typer.Option(help="Seconds one answer may take.", min=0.1)] = 30.0,
) -> None:
    """Ask TikTok for every known video again; what is gone leaves the next release.

    Gone: missed on two different days. Credentials as for `collect`. Exit code 0: every video was
    asked for, 3: stopped by quota or service; run again to continue.

    Example: ecuador-crisis refresh --work work
    """
    from builder.commands.refresh import RefreshOptions, run_refresh

    options = RefreshOptions(
        work=work,
        base_url=base_url,
        credentials=credentials,
        requests_a_day=requests_a_day,
        rows_a_day=rows_a_day,
        ledger=ledger,
        retry_wait=retry_wait,
        timeout=timeout,
    )
    if code := run_refresh(options, typer.echo):
        raise typer.Exit(code)


@app.command()
def remove(
    work: Annotated[Path, typer.Option(help="Work folder of a build.")],
    ids: Annotated[Path, typer.Option(help="File: a raw id, link or pseudonym a line.")],
    videos_dir: Annotated[
        Path | None, typer.Option(help="Delete their downloads from this folder.")
    ] = None,
) -> None:
    """Remove posts at once, and from every next release; the receipt names none of them.

    Example: ecuador-crisis remove --work work --ids requests.txt
    """
    from builder.commands.refresh import run_remove

    for line in run_remove(work, ids, videos_dir):
        typer.echo(line)


@app.command()
def regenerate(
    work: Annotated[Path, typer.Option(help="Private work folder; kept between runs.")],
    out: Annotated[Path, typer.Option(help="Release folder to write.")],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders of API pages or the authors' CSV files. None: the embedded sample.",
        ),
    ] = None,
    campaign: Annotated[str, typer.Option(help="Embedded campaign or its folder.")] = (
        "ecuador_2024"
    ),
    profile: Annotated[
        str, typer.Option(help="Models to use: offline, turbo, paper, or a TOML file.")
    ] = "offline",
    videos_dir: Annotated[
        Path | None, typer.Option(help="Folder of downloaded videos, <id>.mp4.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Where stages run.")] = Engine.LOCAL,
    ray_address: Annotated[
        str | None, typer.Option(help="A Ray cluster; default: RAY_ADDRESS, or this machine.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(help="Ray workers of a stage: 4, or from-to as 1:8.")
    ] = None,
    cpus_per_worker: Annotated[
        float, typer.Option(help="Cores a Ray worker takes; its threads.", min=0)
    ] = 1.0,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(help="GPUs of a Ray worker that uses one, as 0.5.", min=0),
    ] = None,
    tries: Annotated[
        int, typer.Option(help="Times a row may kill its process before quarantine.", min=1)
    ] = 2,
    patience: Annotated[
        float | None,
        typer.Option(help="Seconds without a sign of life: a row hangs. Default: the stage's."),
    ] = None,
    retry: Annotated[str, typer.Option(help="Compute again: quarantined.")] = "",
    skip: Annotated[str, typer.Option(help="Stages to leave out, comma separated.")] = "",
    only: Annotated[str, typer.Option(help="The only stages to run, comma separated.")] = "",
    key_file: Annotated[
        Path | None, typer.Option(help="File with the pseudonym key (mode 0600).")
    ] = None,
    new_ids: Annotated[
        bool, typer.Option("--new-ids", help="Every id may change: the key is lost or another.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace another release in --out.")
    ] = False,
    accept_quality: Annotated[
        bool,
        typer.Option("--accept-quality", help="Failed quality may replace a release without."),
    ] = False,
    previous: Annotated[
        Path | None, typer.Option(help="The release before this; writes the changelog.")
    ] = None,
) -> None:
    """Build the dataset: sources in, validated release out. Run again to continue.

    Example: ecuador-crisis regenerate pages/ --work work --out EcuadorCrisisTikTok
    """
    from builder.pipeline.regenerate import regenerate as run
    from builder.pipeline.request import Request
    from builder.run.engines.options import EngineOptions, workers_of

    outcome = run(
        Request(
            work=work,
            out=out,
            sources=tuple(sources or ()),
            campaign=campaign,
            profile=profile,
            videos_dir=videos_dir,
            engine=EngineOptions(
                engine.value,
                tries=tries,
                patience=patience,
                address=ray_address,
                workers=workers_of(workers),
                cpus=cpus_per_worker,
                gpus=gpus_per_worker,
            ),
            retry=_stages(retry),
            skip=_stages(skip),
            only=_stages(only),
            key_file=key_file,
            new_ids=new_ids,
            replace=replace,
            accept_quality=accept_quality,
            previous=previous,
        )
    )
    for line in outcome.lines():
        typer.echo(line)


@app.command()
def validate(
    release: Annotated[Path, typer.Argument(help="Release folder.")],
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page here.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign, if it is not an embedded one.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Work folder: look for its raw ids and usernames.")
    ] = None,
    gold: Annotated[
        list[Path] | None, typer.Option(help="Filled review CSV: compare with people's labels.")
    ] = None,
    design: Annotated[
        Path | None, typer.Option(help="Design of the review, if not beside the CSV.")
    ] = None,
) -> None:
    """Check a release. Exit code 0: pass, 1: broken contract or failed quality, 2: no release.

    Example: ecuador-crisis validate EcuadorCrisisTikTok --html report.html
    """
    from builder.commands.validate import run

    lines, ok = run(release, json, html, campaign, work, tuple(gold or ()), design)
    for line in lines:
        typer.echo(line)
    if not ok:
        raise typer.Exit(1)


@app.command()
def status(
    work: Annotated[Path, typer.Option(help="Work folder of a build, or a folder of pages.")],
) -> None:
    """Show what is done, pending and failed, and why; of collected pages, the calendar.

    Example: ecuador-crisis status --work work
    """
    from builder.commands.building.status import run_status

    for line in run_status(work):
        typer.echo(line)


@app.command()
def plan(
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="SOURCE", help="As of regenerate.")
    ] = None,
    videos: Annotated[
        int | None, typer.Option(help="How many, if there is no SOURCE yet.", min=1)
    ] = None,
    campaign: Annotated[str, typer.Option(help="Embedded campaign or its folder.")] = (
        "ecuador_2024"
    ),
    profile: Annotated[str, typer.Option(help="Models to use, as of regenerate.")] = "offline",
    work: Annotated[
        Path | None, typer.Option(help="Rates of the last runs in this work folder.")
    ] = None,
    rate: Annotated[
        str, typer.Option(help="Rows a second: transcribe=0.5,sentiment=20. Overrides.")
    ] = "",
    seconds_per_video: Annotated[
        float | None, typer.Option(help="Mean length; default: the sources'.", min=0.1)
    ] = None,
    workers: Annotated[int, typer.Option(help="Workers at the same time.", min=1)] = 1,
    machine_price: Annotated[float, typer.Option(help="Dollars, machine-hour.", min=0)] = 0.0,
    gpu_price: Annotated[float, typer.Option(help="Dollars a GPU-hour.", min=0)] = 0.0,
    summary_price: Annotated[float, typer.Option(help="Dollars, 1,000 summaries.", min=0)] = 0.0,
    json: Annotated[Path | None, typer.Option(help="Write the numbers here.")] = None,
) -> None:
    """Tell time, GPU-hours, requests and money of a campaign from measured rates.

    Without --work and --rate the steps are measured here, on the embedded sample.

    Example: ecuador-crisis plan pages/ --work work --workers 4 --gpu-price 2.5
    """
    from builder.commands.building.plan import PlanOptions, run_plan
    from builder.pipeline.cost import Prices
    from builder.run.progress import Progress

    options = PlanOptions(
        sources=tuple(sources or ()),
        videos=videos,
        campaign=campaign,
        profile=profile,
        work=work,
        rates=rate,
        seconds_per_video=seconds_per_video,
        workers=workers,
        prices=Prices(machine_price, gpu_price, summary_price),
        json=json,
    )
    for line in run_plan(options, Progress):
        typer.echo(line)


@app.command()
def sample_transcripts(
    work: Annotated[Path | None, typer.Option(help="Work folder with transcripts.")] = None,
    out: Annotated[Path | None, typer.Option(help="Private folder for the sheet.")] = None,
    videos_dir: Annotated[
        Path | None, typer.Option(help="The downloads, to play the clips on the page.")
    ] = None,
    size: Annotated[int, typer.Option(help="Clips to draw.", min=1)] = 50,
    seed: Annotated[int, typer.Option(help="Same seed, same sample.")] = 0,
    score: Annotated[
        list[Path] | None, typer.Option(help="Filled sheet: word and character error rate.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the sheet.")] = False,
) -> None:
    """Draw Whisper transcripts for people to check, or score the checked ones.

    Example: ecuador-crisis sample-transcripts --work work --out check
    """
    from builder.commands.sample_transcripts import run_sample

    lines = run_sample(
        work,
        out,
        tuple(score or ()),
        videos_dir=videos_dir,
        size=size,
        seed=seed,
        replace=replace,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def review(
    release: Annotated[Path | None, typer.Argument(help="Release to draw a sample from.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write, with blank columns.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of each task.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same sample.")] = 0,
    annotators: Annotated[int, typer.Option(help="Blank columns.", min=1)] = 2,
    score: Annotated[list[Path] | None, typer.Option(help="Filled CSV to score.")] = None,
    design: Annotated[
        Path | None, typer.Option(help="Design of the sample, if not beside the CSV.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the scores as JSON here.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite --out.")] = False,
) -> None:
    """Draw labels for people to judge, or score what they judged.

    With --score no release is needed: the CSVs and the design beside them are enough.

    Example: ecuador-crisis review EcuadorCrisisTikTok --out review.csv
    """
    from builder.commands.review import run_review

    lines = run_review(
        release,
        out,
        tuple(score or ()),
        rows=rows,
        seed=seed,
        annotators=annotators,
        design=design,
        json_path=json,
        replace=replace,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def calibrate(
    release: Annotated[Path, typer.Argument(help="Release the labels are about; not changed.")],
    labels: Annotated[list[Path], typer.Option(help="Filled review CSV.")],
    out: Annotated[Path, typer.Option(help="JSON file for the calibration.")],
    design: Annotated[
        Path | None, typer.Option(help="Design of the review, if not beside the CSV.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write calibrated confidences here.")] = None,
) -> None:
    """Fit a temperature to the sentiment confidences on people's labels.

    Example: ecuador-crisis calibrate RELEASE --labels review.csv --out t.json
    """
    from builder.commands.review import run_calibrate

    for line in run_calibrate(release, labels, out, design=design, parquet=parquet):
        typer.echo(line)


@app.command()
def cards() -> None:
    """Print where the `evaluate` modules are, to load them from.

    Example: ecuador-crisis cards
    """
    from builder.commands.cards import run_cards

    for line in run_cards():
        typer.echo(line)


@app.command()
def figures(
    release: Annotated[Path, typer.Argument(help="Release folder.")],
    out: Annotated[Path, typer.Option(help="Folder for tables, figures and their page.")],
    work: Annotated[
        Path | None, typer.Option(help="Its work folder, for the captions' phrases (Figure 2).")
    ] = None,
    language: Annotated[FigureLanguage, typer.Option(help="Of the figures.")] = FigureLanguage.EN,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign, if it is not an embedded one.")
    ] = None,
    hashtags: Annotated[
        str, typer.Option(help="Hashtags to draw over time, comma separated.")
    ] = "",
) -> None:
    """Draw the paper's tables and figures, and sentiment over time, from a release.

    Example: ecuador-crisis figures EcuadorCrisisTikTok --out figures --work work
    """
    from builder.commands.figures import run_figures

    lines = run_figures(
        release,
        out,
        work=work,
        language=language.value,
        campaign=campaign,
        hashtags=tuple(hashtags.split(",")),
    )
    for line in lines:
        typer.echo(line)


@app.command()
def explore(
    release: Annotated[Path, typer.Argument(help="Release folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the page.")],
    topics: Annotated[
        Path | None, typer.Option(help="What `topics` wrote for this release, to filter by.")
    ] = None,
    language: Annotated[FigureLanguage, typer.Option(help="Of the page.")] = FigureLanguage.EN,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign, if it is not an embedded one.")
    ] = None,
) -> None:
    """Make a page to walk through a release: filters, charts, sample rows.

    It opens from disk and makes no request; the folder is a static Space of the Hub as it is.

    Example: ecuador-crisis explore EcuadorCrisisTikTok --out explorer
    """
    from builder.commands.explore import run_explore

    lines = run_explore(release, out, topics=topics, language=language.value, campaign=campaign)
    for line in lines:
        typer.echo(line)


@app.command()
def topics(
    release: Annotated[Path, typer.Argument(help="Release folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the topics and their page.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with your labels; default: labels.csv in --out, if it is there."),
    ] = None,
    topics: Annotated[int, typer.Option(help="How many, at most (keynmf).", min=2, max=200)] = 20,
    method: Annotated[TopicMethod, typer.Option(help="How.")] = TopicMethod.KEYNMF,
    language: Annotated[FigureLanguage, typer.Option(help="Of the page.")] = FigureLanguage.EN,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign, if it is not an embedded one.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps the embeddings between runs.")
    ] = None,
) -> None:
    """Find the topics of a release's transcripts. Run again to continue, or after naming topics.

    Needs the extra `topics`. Labels are yours: fill the column `label` of labels.csv.

    Example: ecuador-crisis topics EcuadorCrisisTikTok --out topics
    """
    from builder.commands.analyses.topics import run_topics

    lines = run_topics(
        release,
        out,
        labels=labels,
        topics=topics,
        method=method.value,
        language=language.value,
        campaign=campaign,
        cache=cache,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def clusters(
    work: Annotated[Path, typer.Option(help="Work folder of a build.")],
    videos_dir: Annotated[Path, typer.Option(help="Folder of downloaded videos, <id>.mp4.")],
    out: Annotated[Path, typer.Option(help="Folder for the map.")],
    model: Annotated[
        FrameModel | None,
        typer.Option(help="Network, if not that of the build's profile; timesformer: the paper's."),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="TimeSformer's Hub name or a folder.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Where frames are embedded.")] = Engine.LOCAL,
    language: Annotated[FigureLanguage, typer.Option(help="Of the map.")] = FigureLanguage.EN,
) -> None:
    """Map the videos by what they look like. Run again to continue.

    Needs the extra `clusters`. Takes what `regenerate --only embed_frames` (or an earlier run)
    computed, and computes the rest. The map holds released ids only; contact sheets stay in --work.

    Example: ecuador-crisis clusters --work work --videos-dir videos --out clusters
    """
    from builder.commands.analyses.clusters import run_clusters

    lines = run_clusters(
        work,
        videos_dir,
        out,
        model=model.value if model else None,
        checkpoint=checkpoint,
        engine=engine.value,
        language=language.value,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The earlier release.")],
    new: Annotated[Path, typer.Argument(help="The later release.")],
    json: Annotated[Path | None, typer.Option(help="Write the difference as JSON here.")] = None,
) -> None:
    """Compare two releases: rows, columns, size, and the version that fits.

    Example: ecuador-crisis diff before/EcuadorCrisisTikTok EcuadorCrisisTikTok
    """
    from builder.commands.publish import run_diff

    for line in run_diff(old, new, json):
        typer.echo(line)


@app.command()
def publish(
    release: Annotated[Path, typer.Argument(help="Release folder; it is validated first.")],
    repo: Annotated[str, typer.Option(help="Dataset repository, NAMESPACE/NAME.")],
    private: Annotated[
        bool, typer.Option("--private", help="Only the namespace can see it.")
    ] = False,
    gated: Annotated[
        Gate | None, typer.Option(help="Readers must accept the terms; auto lets them in.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, nothing is changed.")] = False,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign, if it is not an embedded one.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Work folder: look for its raw ids and usernames.")
    ] = None,
    overdue_ok: Annotated[
        bool, typer.Option("--overdue-ok", help="Publish although a refresh is overdue.")
    ] = False,
    purge_history: Annotated[
        bool, typer.Option("--purge-history", help="Delete all earlier versions for good.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(help="The repository again, to mean --purge-history.")
    ] = None,
) -> None:
    """Show what publishing would change on the Hub; with --yes publish it.

    HF_TOKEN is the token, HF_ENDPOINT another Hub than huggingface.co.

    Example: ecuador-crisis publish EcuadorCrisisTikTok --repo lab/EcuadorCrisisTikTok
    """
    from builder.commands.publish import run_publish

    lines = run_publish(
        release,
        repo,
        private=private,
        gated=gated.value if gated else None,
        yes=yes,
        campaign=campaign,
        work=work,
        overdue_ok=overdue_ok,
        purge_history=purge_history,
        confirm=confirm,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def sign(
    release: Annotated[Path, typer.Argument(help="Release folder; model.sig is put into it.")],
    key: Annotated[
        Path | None, typer.Option(help="Private EC key (PEM). None: keyless, by Sigstore.")
    ] = None,
) -> None:
    """Sign every file of a release, so that readers can tell it from another.

    Example: ecuador-crisis sign EcuadorCrisisTikTok --key signing.pem
    """
    from builder.publish.sign import sign as run

    for line in run(release, key):
        typer.echo(line)


@app.command()
def verify(
    release: Annotated[Path, typer.Argument(help="Signed release folder.")],
    key: Annotated[Path | None, typer.Option(help="Public EC key (PEM) of the signer.")] = None,
    identity: Annotated[
        str | None, typer.Option(help="Keyless: who must have signed, an e-mail or a workflow.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="Keyless: who vouches for them.")] = None,
) -> None:
    """Check the signature of a release; names every file that differs.

    Example: ecuador-crisis verify EcuadorCrisisTikTok --key signing.pub.pem
    """
    from builder.publish.sign import verify as run

    for line in run(release, key, identity=identity, issuer=issuer):
        typer.echo(line)


def main() -> None:
    """Entry point; exit codes 1 (failed), 2 (usage), 130 (interrupted), 143 (terminated)."""
    from builder.commands.ending import run_and_exit

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    run_and_exit(app, [argument for argument in arguments if argument != "--debug"], debug)
