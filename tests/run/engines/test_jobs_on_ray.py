"""The files for SLURM and Kubernetes, as far as they can be tried without either."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import typer.main
import yaml
from release_kit import NAME, SKIP, Built, content, environment, write_key

from builder.cli import app

ROOT = Path(__file__).parents[3]
JOBS = ROOT / "scripts" / "jobs"


def test_the_kubernetes_job_is_a_ray_job_whose_options_we_have() -> None:
    job = yaml.safe_load((JOBS / "kuberay.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    command = typer.main.get_command(app).commands["regenerate"]  # type: ignore[attr-defined]
    known = {option for each in command.params for option in each.opts}
    assert set(re.findall(r"--[a-z-]+", job["spec"]["entrypoint"])) <= known
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [pod["template"]["spec"]["containers"][0] for pod in pods]
    assert len({each["image"] for each in containers}) == 1
    assert all(each["volumeMounts"][0]["mountPath"] == "/data" for each in containers)


STOP = """
import os, signal, sys
from pathlib import Path
for folder in Path("/proc").iterdir():
    if folder.name.isdecimal() and int(folder.name) != os.getpid():
        try:
            mine = sys.argv[1].encode() in (folder / "cmdline").read_bytes()
            if mine:
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            pass
"""


@pytest.mark.long  # alone: it is refused beside another Ray on this machine
def test_the_slurm_job_starts_ray_and_builds_the_same_release(small: Built, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="needs the extra `ray`")
    place, stop = tempfile.mkdtemp(prefix="ray-", dir="/tmp"), tmp_path / "stop.py"
    stop.write_text(STOP)
    programs = tmp_path / "bin"
    programs.mkdir()
    stand_ins = {
        "srun": '#!/bin/sh\nexec "$@"\n',
        "scontrol": "#!/bin/sh\necho localhost\n",
        "ray": f'#!/bin/sh\nexec {sys.executable} -m ray.scripts.scripts "$@"\n',
        "ecuador-crisis": f"#!/bin/sh\nexec {sys.executable} -c 'from builder.cli import main; "
        'main()\' "$@"\n',
    }
    for name, text in stand_ins.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = write_key(tmp_path / "keys" / "key")
    folders = ["--work", tmp_path / "work", "--out", tmp_path / NAME, "--key-file", key]
    done = subprocess.run(
        ["bash", JOBS / "slurm.sh", small.pages, *folders, SKIP[0], "probe,transcribe,sentiment"],
        env=environment(
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(ROOT),
            RAY_PORT=str(port),
            RAY_TMPDIR=place,
        ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    assert ray.__version__
    assert (tmp_path / NAME / "MANIFEST.json").exists()
    assert list((tmp_path / "work" / "language").rglob("part-*"))
    assert content(tmp_path / NAME)
