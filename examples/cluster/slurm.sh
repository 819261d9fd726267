#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reconstructs every acquisition of a folder as one SLURM job array, a task for each case that is not finished, and makes the
# table in a job behind it. SBATCH_OPTIONS holds what the site wants (--partition, --gres=gpu:1, --cpus-per-task=8, --time, …).
# The same command again submits what is left to do; tasks that the system kills or preempts go on from their checkpoints.
# Leaves RESULTS/NAME/ (its run folder), RESULTS/NAME.log, RESULTS/NAME.status (one line) and RESULTS/summary.{csv,md}.
# docs/guides/many-cases.md says more.
# usage: SBATCH_OPTIONS="--time=2:00:00" bash slurm.sh CASES_FOLDER RESULTS_FOLDER CONFIG.toml [OPTIONS OF dsasrgs reconstruct...]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/begin.sh"
count=${#left[@]}
[ "$count" -gt 0 ] || exec bash "$cluster/summary.sh" "$results"
command -v sbatch >/dev/null || fail "expected SLURM's sbatch, found none (one machine: parallel.sh)"
list=$(mktemp "$results/cases.XXXXXX")  # a line for each task; an array that was submitted before keeps its own
trap 'rm -f "$list"' EXIT  # until there is a job that reads it
printf '%s\n' "${left[@]}" >"$list"
read -ra site <<<"${SBATCH_OPTIONS:-}"

# Two minutes before the time is up the case is told to save what it has.
array=$(sbatch --parsable --job-name dsasrgs --array "1-$count" --requeue --open-mode append --output "$results/slurm.log" \
  --signal B:TERM@120 "${site[@]}" <<END
#!/usr/bin/env bash
# exec: signals for the batch script are for the case.
exec bash $(printf %q "$cluster/one_case.sh") $(printf %q "$results") "\$(sed -n "\${SLURM_ARRAY_TASK_ID}p" $(printf %q "$list"))"
END
)
trap - EXIT
summary=$(sbatch --parsable --job-name dsasrgs-summary --dependency "afterany:${array%%;*}" --output "$results/slurm.log" \
  --open-mode append "${site[@]}" --wrap "bash $(printf %q "$cluster/summary.sh") $(printf %q "$results"); rm -f $(printf %q "$list")") ||
  fail "submitted $count cases as job $array; the job for their table was refused: bash $(printf %q "$cluster/summary.sh") $(printf %q "$results") makes it, $list may go when they are done"
echo "submitted $count cases as job $array, their table as job $summary; $results/slurm.log has their lines"
