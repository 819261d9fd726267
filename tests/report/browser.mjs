// SPDX-License-Identifier: Apache-2.0
// Every control of a report does what it says. usage: node browser.mjs CHROMIUM FOLDER; browser.sh makes the folder.
import { readFileSync, writeFileSync } from "node:fs";
import { launch, openReport } from "./page.mjs";
import { checkSpace } from "./space.mjs";
import { checkSurface } from "./surface.mjs";

const [executable, folder] = process.argv.slice(2);
const file = `${folder}/run/report.html`;
let failures = 0;
/** `holds` is a value, or a function that is asked until it holds, for what the page draws when it comes to it. */
const check = async (name, holds, found = "") => {
  for (let tries = 0; tries < 600; ++tries) {
    if (typeof holds === "function" ? await holds() : holds) return;
    if (typeof holds !== "function") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  ++failures;
  const what = typeof found === "function" ? await found() : found;
  console.error(`FAILED: ${name}${what === "" ? "" : `: ${JSON.stringify(what)}`}`);
};
const floats = (name) => {
  const bytes = readFileSync(`${folder}/${name}`);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};
const near = (a, b, most) => Math.abs(a - b) <= most;

const browser = await launch(executable);
const { page, said, set, settled, text, pixels, close } = await openReport(browser, file, { viewport: { width: 1000, height: 700 }, colorScheme: "light" });
const about = await page.evaluate(() => ({ ...report.images, data: report.data }));

// ---- what it shows is what the program and the case file say -------------------------------------------------------------
{
  const measured = floats("measured.bin");
  const rendered = floats("rendered.bin");
  const [w, h] = [about.width, about.height];
  await check("size of the measurement", w === 40 && h === 32 && about.fine === 2, [w, h, about.fine]);
  const half = about.largest / about.codes / 2 + 1e-6;
  for (const i of [0, 5, about.views.length - 1]) {
    const view = about.views[i].view;
    const shown = await page.evaluate(async (k) => [[...(await report.images.measured(k))], [...(await report.images.rendered(k))]], i);
    const clamp = (value) => Math.min(Math.max(value, 0), about.largest);
    const worst = (values, truth) => Math.max(...values.map((value, p) => Math.abs(value - clamp(truth[p]))));
    await check(`measured pixels of view ${view}`, worst(shown[0], measured.subarray(view * w * h)) <= half);
    await check(`rendered pixels of view ${view}`, worst(shown[1], rendered.subarray(view * 4 * w * h)) <= half);
  }
  const bars = floats("bars.bin");
  for (const i of [0, 5, about.views.length - 1]) {
    const shown = await page.evaluate(async (k) => [...(await report.images.deviation(k))], i);
    const halfStep = about.error_bars.largest / about.codes / 2 + 1e-6;
    const worst = Math.max(...shown.map((value, p) => Math.abs(value - bars[about.views[i].view * w * h + p])));
    await check(`error bars of view ${about.views[i].view}`, worst <= halfStep && Math.max(...shown) > 0, [worst, halfStep]);
  }
  const nifti = readFileSync(`${folder}/frames.nii`);
  const truth = new Float32Array(nifti.buffer, nifti.byteOffset + 352, 36 * 32 * 40 * 12);
  const [codes, step] = await page.evaluate(async () => [[...(await report.volume.ready)], report.volume.step]);
  await check("voxels over time", codes.length === truth.length && codes.every((code, i) => near(code * step, Math.max(truth[i], 0), step)));
  const metrics = JSON.parse(readFileSync(`${folder}/run/metrics.json`, "utf8"));
  const mean = metrics.high_resolution.mean;
  await check("means", async () => (await text("#scores-table .mean")).includes(mean["4drgs"].psnr_db.toFixed(2)), async () => await text("#scores-table .mean"));
  await check("rows of views", async () => (await page.locator("#scores-table tbody tr").count()) === 1 + metrics.high_resolution.views.length);
  await check("trained views in the drawing", async () => (await page.locator("#sweep circle.trained").count()) === 8);
  await check("title is text", async () => (await text("#title")) === "script><img src=x onerror=hacked()>.h5", async () => await text("#title"));
  await check("no element of a name", async () => (await page.locator("img").count()) === 0);
  await check("configuration is text", async () => (await page.locator("#config").textContent()).includes("</script><img src=x"));
  await check("command", async () => (await text("#command")).startsWith("dsasrgs reconstruct '<"), async () => await text("#command"));
}

// ---- time and angle --------------------------------------------------------------------------------------------------------
const canvases = page.locator("#view-panels canvas");
const picture = async (nth) => pixels(canvases.nth(nth));
const last = about.views.length - 1;
await set("#angle", last);
await check("time follows the angle", async () => (await page.inputValue("#time")) === String(last));
await check("angle in words", async () => (await text("#angle-text")).includes(`view ${about.views[last].view}`), async () => await text("#angle-text"));
await check("time in words", async () => (await text("#time-text")) === `${about.views[last].time_s.toFixed(2)} s`, async () => await text("#time-text"));
const at = await picture(1);
await set("#time", 1);
await check("angle follows the time", async () => (await page.inputValue("#angle")) === "1");
await check("another render", async () => (await picture(1)) !== at);
await page.uncheck("#follow");
await set("#angle", last);
await check("untied", async () => (await page.inputValue("#time")) === "1");
await check("no measurement is shown where there is none", async () => (await page.locator("#view-panels .overlay:visible").count()) === 2);
await check("untied angle is another picture", async () => (await picture(1)) !== at);
await page.check("#follow");
await check("tied again", async () => (await page.inputValue("#angle")) === "1" && (await page.locator("#view-panels .overlay:visible").count()) === 0);
await set("#angle", last);
const grey = await picture(0);
await set("#window", 20);
await check("darker", async () => (await picture(0)) !== grey);
await set("#window", 90);
const plain = await picture(0);
await page.check("#inverted");
await check("bright vessels", async () => (await picture(0)) !== plain);
await page.uncheck("#inverted");
await page.selectOption("#against", "reference");
await check("truth", async () => (await text("#view-panels")).includes("High-resolution truth, 80 × 64"), async () => await text("#view-panels"));
await page.selectOption("#against", "measured");

await check("what error bars mean", async () => /standard deviation.*With as few training views as here they are too small.*Not in it/.test(await text("#bars-text")), async () => await text("#bars-text"));
await check("how large they are", async () => (await text("#bars-facts")).includes(`${about.error_bars.deviation_percent.toFixed(1)} % of the brightest`), async () => await text("#bars-facts"));
await check("how often they hold", async () => (await text("#bars-facts")).includes("Truth within 1.64 error bars") && (await text("#bars-facts")).includes(`${about.error_bars.within_percent.toFixed(0)} % of the same pixels; 90 % would be right`), async () => await text("#bars-facts"));
await check("of the view that is shown", async () => (await text("#bars-facts")).includes(`Error bar, view ${about.views[last].view}`), async () => await text("#bars-facts"));
await check("error bar of the summary", async () => (await text("#figures")).includes(`${about.error_bars.deviation_percent.toFixed(1)} %`), async () => await text("#figures"));
await check("its window is that of error bars alone", !(await page.locator("#bar-window").isVisible()));
const difference = await picture(2);
await page.selectOption("#third", "deviation");
await check("error bars in the third picture", async () => (await picture(2)) !== difference && /Standard deviation .*line integral.*full colour at/.test(await text("#view-panels figure:nth-child(3)")), async () => await text("#view-panels"));
const bars = await picture(2);
const renderBeside = await picture(1);
await set("#bar-window", 20);
await check("window of error bars", async () => (await picture(2)) !== bars && (await picture(1)) === renderBeside && (await text("#bar-window-text")) !== "", async () => await text("#bar-window-text"));
await page.uncheck("#follow");
await set("#time", 1);
await check("no error bars between views", async () => (await text("#view-panels figure:nth-child(3)")).includes("at the times of the views"), async () => await text("#view-panels"));
await page.check("#follow");
await set("#angle", last);
await page.selectOption("#third", "difference");
await check("the difference again", async () => (await picture(2)) === difference);

await canvases.nth(1).hover({ position: { x: 50, y: 60 } });
await check("values at the pointer", async () => /measured .*rendered .* ± [0-9.]+ \(standard deviation\), difference/.test(await text("#view-readout")), async () => await text("#view-readout"));
await canvases.nth(1).click({ position: { x: 150, y: 160 } });
await canvases.nth(0).focus();
await page.keyboard.press("ArrowRight");
await page.keyboard.press("Shift+ArrowDown");
await page.keyboard.press("Enter");
await check("two points", async () => (await page.locator("#view-points .chip").count()) === 2 && (await page.locator("#view-panels .dot").count()) === 6);
await check("point of the keyboard", async () => (await text("#view-points .chip:nth-child(2)")).includes("column 20, row 26") || (await text("#view-points .chip:nth-child(2)")).includes("column 21, row 26"), async () => await text("#view-points"));
await check("curves over time", async () => (await page.locator("#view-curve canvas").count()) === 1 && (await page.locator("#view-curve .u-series").count()) === 3);
await page.locator("#view-points .chip button").first().click();
await check("one point less", async () => (await page.locator("#view-points .chip").count()) === 1);
await canvases.nth(1).click({ position: { x: 100, y: 100 } });
await page.click("text=Take all away");
await check("no point", async () => (await page.locator("#view-points .chip").count()) === 0 && !(await page.locator("#view-curve").isVisible()));
await set("#time", 0);
await page.click("#views-play");
await check("plays", async () => Number(await page.inputValue("#time")) >= 2);
await page.dispatchEvent("#views-play", "click"); // a page that plays need not hold still for a pointer
const paused = await page.inputValue("#time");
await page.waitForTimeout(600);
const stays = (await page.inputValue("#time")) === paused && (await text("#views-play")) === "Play";
await check("pauses", stays);

// ---- measured | super-resolved -----------------------------------------------------------------------------------------------
const pair = page.locator("#pair canvas");
const side = (nth) => pixels(pair.nth(nth));
const zoom = async () => {
  await settled();
  return Number.parseFloat(await text("#zoom-text"));
};
await set("#compare-view", 3);
let before = await side(1);
await set("#compare-view", last);
await check("another view", async () => (await side(1)) !== before && (await text("#compare-view-text")).includes(`view ${about.views[last].view}`));
before = await side(1);
await page.selectOption("#right", "reference");
await check("truth on the right", async () => (await side(1)) !== before && (await text("#pair")).includes("High-resolution truth"));
await page.selectOption("#left", "rendered");
await check("render on the left", async () => (await side(0)) === before);
before = await side(0);
await set("#zoom", 50);
await check("zoom", async () => near(await zoom(), 4, 0.06) && (await side(0)) !== before, async () => await zoom());
before = await side(0);
await pair.nth(0).scrollIntoViewIfNeeded();
const box = await pair.nth(0).boundingBox();
await page.mouse.move(box.x + 200, box.y + 150);
await page.mouse.down();
await page.mouse.move(box.x + 120, box.y + 90, { steps: 3 });
await page.mouse.up();
await check("drag moves", async () => (await side(0)) !== before);
await page.check("#smooth");
await check("smooth", async () => (await side(0)) !== before);
await page.uncheck("#smooth");
await page.click("#zoom-reset");
await check("whole image", async () => (await zoom()) === 1);
await pair.nth(0).dblclick();
await check("double click zooms", async () => (await zoom()) > 1.5);
await pair.nth(1).focus();
await page.keyboard.press("+");
const larger = await zoom();
before = await side(1);
await page.keyboard.press("ArrowLeft");
await check("arrows move", async () => (await side(1)) !== before);
await page.keyboard.press("-");
await check("minus", async () => (await zoom()) < larger);
await page.keyboard.press("0");
await check("0 shows all", async () => (await zoom()) === 1);
await page.keyboard.down("Control");
await pair.nth(0).hover();
await page.mouse.wheel(0, -100);
await page.keyboard.up("Control");
await check("wheel with Ctrl", async () => (await zoom()) > 1);
await page.check("#wiping");
await set("#wipe", 30);
const over = await page.evaluate(() => [...document.querySelectorAll("#pair canvas")].map((c) => c.getBoundingClientRect().left));
await check("one over the other", over[0] === over[1]);
await check("divider", async () => (await page.evaluate(() => getComputedStyle(document.querySelector("#pair figure + figure .frame")).clipPath)).includes("30%"));
await page.uncheck("#wiping");

// ---- projections ---------------------------------------------------------------------------------------------------------------
const planes = page.locator("#projections canvas");
const sweep = await pixels(planes.nth(0));
await set("#frame", 11);
await check("a moment", async () => !(await page.isChecked("#whole-sweep")) && (await pixels(planes.nth(0))) !== sweep);
await check("its time", async () => (await text("#frame-text")) === "5.00 s", async () => await text("#frame-text"));
before = await pixels(planes.nth(2));
await set("#volume-window", 90);
await check("window of the volume", async () => (await pixels(planes.nth(2))) !== before);
await page.check("#whole-sweep");
await set("#frame", 0);
await page.click("#frame-play");
await check("volume plays", async () => Number(await page.inputValue("#frame")) >= 2);
await page.dispatchEvent("#frame-play", "click");
await set("#frame", 11);
// The brightest voxel of the last moment is where a click on its column and row, seen along y, finds it.
const brightest = await page.evaluate(async () => {
  const codes = (await report.volume.ready).subarray(11 * report.volume.voxels);
  const voxel = codes.indexOf(Math.max(...codes));
  const [nx, ny] = report.volume.size;
  return [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / nx / ny), voxel];
});
{
  const frame = await planes.nth(0).boundingBox();
  await planes.nth(0).click({ position: { x: ((brightest[0] + 0.5) / 36) * frame.width, y: (1 - (brightest[2] + 0.5) / 40) * frame.height } });
  const point = await page.evaluate(() => report.volume.points.list().map(([p]) => p.voxel));
  await check("picks the brightest voxel", point.length === 1 && point[0] === brightest[3], [point, brightest]);
  const mm = [-36, -32, -40].map((half, axis) => (half / 2 + brightest[axis] + 0.5) * 4.5);
  const said = `(${mm.map((v) => v.toFixed(0).replace("-", "−")).join(", ")}) mm`;
  await check("where it is", async () => (await text("#volume-points")).includes(said), async () => [await text("#volume-points"), said]);
}
await planes.nth(1).focus();
await page.keyboard.press("ArrowUp");
await page.keyboard.press("Enter");
await check("time–attenuation curves", async () => (await page.locator("#volume-curve .u-series").count()) === 3 && (await page.locator("#projections .dot").count()) === 6);

await checkSpace({ page, set, settled, text, check });
await checkSurface(readFileSync(new URL("surface.js", `file://${process.env.REPORT_SOURCE}/`), "utf8"), check);

// ---- scores, training, the rest ------------------------------------------------------------------------------------------------
before = await text("#scores-table .mean");
await page.selectOption("#scores-level", "low");
await check("scores against the measurement", async () => (await text("#scores-table .mean")) !== before);
before = await pixels(page.locator("#scores-curve canvas"));
await page.selectOption("#scores-measure", "ssim");
await check("SSIM", async () => (await pixels(page.locator("#scores-curve canvas"))) !== before);
await page.locator("#scores-table button").nth(2).click();
const wanted = await text("#scores-table button >> nth=2");
await check("a score's view is shown", async () => (await text("#angle-text")).includes(`view ${wanted},`), async () => [wanted, await text("#angle-text")]);
for (const id of ["loss-curve", "count-curve"]) check(id, (await page.locator(`#${id} canvas`).count()) === 1);
await page.click("#copy-command");
await check("copy", async () => /Copied|selected/.test(await text("#copied")));
await page.click("#license-card summary");
await check("licences", async () => /BSD 2-Clause[^]*MIT/.test(await page.locator("#licenses").textContent()) || /MIT[^]*BSD 2-Clause/.test(await page.locator("#licenses").textContent()));
const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await ground();
await page.selectOption("#theme", "dark");
await check("dark", async () => (await ground()) !== light);
await page.selectOption("#theme", "light");
await check("light", async () => (await ground()) === light);
for (const link of await page.locator("nav a").all()) {
  await link.click();
  await page.waitForTimeout(50);
  await check(`link ${await link.textContent()}`, async () => await page.evaluate((hash) => location.hash === hash && document.querySelector(hash).offsetParent !== null, await link.getAttribute("href")));
}
// With Tab alone, every control that is shown.
const reached = await page.evaluate(() =>
  [...document.querySelectorAll("button, select, input, canvas[tabindex], a[href], summary")]
    .filter((control) => control.offsetParent !== null && !control.disabled && control.tabIndex < 0)
    .map((control) => control.id || control.textContent));
await check("keyboard reaches every control", reached.length === 0, reached);
const unnamed = await page.evaluate(() =>
  [...document.querySelectorAll("input, select, button, canvas[tabindex]")]
    .filter((control) => !(control.labels?.length || control.textContent.trim() || control.getAttribute("aria-label")))
    .map((control) => control.id || control.outerHTML));
await check("every control has a name", unnamed.length === 0, unnamed);
await check("nothing in the console, nothing fetched", said.length === 0, said);
const ready = await page.evaluate(() => performance.getEntriesByName("report-ready")[0].startTime);
await close();

// ---- dark, and a phone ------------------------------------------------------------------------------------------------------------
for (const [name, options] of Object.entries({
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light", hasTouch: true, isMobile: true },
})) {
  const other = await openReport(browser, file, options);
  const wide = (await other.page.evaluate(() => document.documentElement.scrollWidth)) - options.viewport.width;
  await check(`${name}: nothing sticks out`, wide <= 0, wide);
  const ground = await other.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await check(`${name}: the system's theme`, (ground === light) === (name === "phone"), ground);
  await check(`${name}: console and network`, other.said.length === 0, other.said);
  await other.close();
}

// ---- built without uPlot and NiiVue -------------------------------------------------------------------------------------------------
{
  const whole = readFileSync(file, "utf8");
  const bare = whole
    .replace(/<script type="[^"]*" id="blob-niivue">[^<]*<\/script>/, "")
    .replace(/<script>\n[^\n]*uPlot \(v[^]*?<\/script>/, "");
  const without = bare.replace('"error_bars":', '"no_bars":');
  await check("the error bars are taken out", without.length < bare.length);
  await check("the packages are taken out", bare.length < whole.length - 1e6 && !bare.includes("uPlot (v"));
  writeFileSync(`${folder}/run/bare.html`, without);
  const other = await openReport(browser, `${folder}/run/bare.html`, { viewport: { width: 1000, height: 700 } });
  await other.set("#time", 2);
  await check("bare: the sliders work", async () => (await other.page.inputValue("#angle")) === "2");
  await check("bare: no 3D view is said", async () => (await other.text("#stage-text")).includes("built without NiiVue"));
  await check("bare: no curves is said", async () => (await other.text("#loss-curve")).includes("built without uPlot"));
  await check("bare: no error bars", !(await other.page.locator("#bars").isVisible()) && !(await other.page.locator("#third").isVisible()) && !(await other.text("#figures")).includes("error bar"));
  await check("bare: console and network", other.said.length === 0, other.said);
  await other.close();
}

// ---- held against a measurement ---------------------------------------------------------------------------------------------------
{
  const whole = readFileSync(file, "utf8");
  const noisy = whole.replace('"against":"reference"', '"against":"measured"');
  await check("there is no truth", noisy !== whole);
  writeFileSync(`${folder}/run/noisy.html`, noisy);
  const other = await openReport(browser, `${folder}/run/noisy.html`, { viewport: { width: 1000, height: 700 } });
  const said = await other.text("#bars-facts");
  await check("noise is named", /Measurement within 1.64 error bars.*\n.*less than 90 % is to be expected.*noise/.test(said) && !said.includes("would be right"), said);
  await other.close();
}
await browser.close();
console.log(`first interaction after ${ready.toFixed(0)} ms, ${(readFileSync(file).length / 2 ** 20).toFixed(1)} MiB`);
process.exit(failures === 0 ? 0 : 1);
