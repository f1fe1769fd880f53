#!/bin/bash
# A build on several nodes of a SLURM cluster: Ray on each of them, `regenerate` on the first.
#   sbatch --nodes 4 --gpus-per-node 1 scripts/jobs/slurm.sh pages/ --work work --out EcuadorCrisisTikTok \
#       --videos-dir videos --profile paper
# The arguments are those of `ecuador-crisis regenerate`. Folders lie on a disk that every node sees
# under the same path; the package with its extra `ray` is installed in the environment that is active.
# When the time is up, submit the same job again: it continues.
#SBATCH --job-name=ecuador-crisis
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
set -euo pipefail
nodes="${SLURM_JOB_NUM_NODES:-1}" port="${RAY_PORT:-6379}"
head="$(scontrol show hostnames "${SLURM_JOB_NODELIST:-localhost}" | head -n 1)"
address="$(getent ahostsv4 "$head" | awk 'NR == 1 { print $1 }'):$port"
# The same command on every node: Ray tells by the address which of them is the first.
exec srun ray symmetric-run --address "$address" --min-nodes "$nodes" -- \
  ecuador-crisis regenerate --engine ray --ray-address "$address" "$@"
