#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/cluster/slurm.sh with a real SLURM: munged, slurmctld and slurmd of its own, one node on loopback, all in a temporary
# folder. Eight small cases; one is killed with its shell, one is sent back to the queue; the same command again finishes what is
# left. Exit code 77 without SLURM, jq, or root (slurmd starts jobs as their users). `--install` installs them first.
# usage: slurm.sh SOURCE_DIR PATH_OF_DSASRGS [--install]
set -u
if [ "${3:-}" = --install ] && [ "$(id -u)" -eq 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge jq >/dev/null
fi
PATH=$PATH:/usr/sbin
for tool in slurmctld slurmd munged sbatch jq; do
  command -v $tool >/dev/null || { echo "skipped: no $tool (Debian: slurm-wlm, munge, jq)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: slurmd starts jobs as root only"; exit 77; }
cluster=$(realpath "$1/examples/cluster") DSASRGS=$(realpath "$2")
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"
work=$(mktemp -d)
daemons=()
end() {
  scancel --user=root >/dev/null 2>&1
  for process in "${daemons[@]}"; do kill "$process" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap end EXIT
cd "$work" || exit 1

# Ports that are free now.
read -r controller_port node_port < <(python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))' 2>/dev/null || echo 16817 16818)
host=$(hostname -s)
mkdir state spool munge
head -c 1024 /dev/urandom >munge/key
chmod 600 munge/key
cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$controller_port
SlurmdPort=$node_port
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
JobRequeue=1
ReturnToService=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$work/slurm.conf
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
  --seed-file="$work/munge/seed" --log-file="$work/munge/log" >munged.txt 2>&1 &
daemons+=($!)
wait_for 20 test -S munge/socket
slurmctld -D >/dev/null 2>&1 &
daemons+=($!)
slurmd -D -N "$host" >/dev/null 2>&1 &
daemons+=($!)
is_idle() { [ "$(sinfo --noheader --format %T)" = idle ]; }
if ! wait_for 60 is_idle; then
  tail -n 20 munged.txt slurmctld.log slurmd.log >&2
  exit 1
fi

make_cases 8 400
submit() { bash "$cluster/slurm.sh" cases results small.toml --threads 1 --checkpoint-every 10 >out.txt 2>err.txt; }
no_job() { [ -z "$(squeue --noheader)" ]; }
submit || report "not submitted: $(cat out.txt err.txt)"
says out.txt '^8 cases, 0 of them finished earlier$'
says out.txt '^submitted 8 cases as job [0-9]+, their table as job [0-9]+;'
array=$(sed -n 's/^submitted 8 cases as job \([0-9]*\),.*/\1/p' out.txt)

# Killed with its shell, as by a machine that fails: it is not finished. Sent back to the queue: it goes on by itself.
wait_for 120 test -e "results/case 1/checkpoint.h5"
kill -KILL $(pgrep -f -- "(one_case.sh .*|reconstruct )$work/cases/case 1\.h5")
wait_for 120 test -e "results/case 2/checkpoint.h5"
scontrol requeue "${array}_2" || report "not sent back to the queue"
wait_for 400 no_job
says results/summary.md '^\| mean \| 7 of 8 finished \|'
says results/summary.md '^\| case 1 \| killed \|'
[ "$(jq .run.resumed_from_step "results/case 2/metrics.json")" -gt 0 ] || report "case 2 began anew"

submit
says out.txt '^8 cases, 7 of them finished earlier$'
says out.txt '^submitted 1 cases'
wait_for 200 no_job
[ "$(jq .run.resumed_from_step "results/case 1/metrics.json")" -gt 0 ] || report "case 1 began anew"
says results/summary.md '^\| mean \| 8 of 8 finished \|'
[ "$(grep -cE '^case [1-8]: finished \(PSNR' results/slurm.log)" -eq 8 ] || report "not one line for each case: $(cat results/slurm.log)"
[ "$(wc -l <results/summary.csv)" -eq 9 ] || report "not a line for each case: $(cat results/summary.csv)"
for k in 1 2 3; do same_as_whole "case $k"; done
submit || report "a third time: $(cat out.txt err.txt)"
says out.txt '^8 cases, 8 of them finished earlier$'
[ -z "$(find results -name 'cases.*')" ] || report "left a list of cases"
grep -v ': finished' results/slurm.log | head -n 20
[ $failures -eq 0 ]
