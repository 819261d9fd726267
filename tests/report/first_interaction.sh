#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Size of a report, and how long after it is opened its sliders answer: five times, in headless Chromium.
# usage: first_interaction.sh REPORT.html
set -euo pipefail
report=$(realpath "$1")
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$source_dir/tests/report/page.mjs" "$work"
ln -s "$source_dir/examples/report/node_modules" "$work/node_modules"
cat >"$work/measure.mjs" <<'JS'
import { statSync } from "node:fs";
import { launch, openReport } from "./page.mjs";
const [executable, file] = process.argv.slice(2);
const times = [];
for (let i = 0; i < 5; ++i) {
  const browser = await launch(executable);
  const { page } = await openReport(browser, file, { viewport: { width: 1280, height: 900 } });
  times.push(await page.evaluate(() => performance.getEntriesByName("report-ready")[0].startTime));
  await browser.close();
}
times.sort((a, b) => a - b);
console.log(`${(statSync(file).size / 2 ** 20).toFixed(1)} MiB, first interaction after ${times[2].toFixed(0)} ms (${times[0].toFixed(0)} to ${times[4].toFixed(0)})`);
JS
node "$work/measure.mjs" "$(command -v chromium)" "$report"
