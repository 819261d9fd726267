// SPDX-License-Identifier: Apache-2.0
// A report in a browser, with what the tests ask of it.
import { createHash } from "node:crypto";
import { chromium } from "playwright-core";

/** WebGL is drawn in software, so that it works without a GPU. */
export const launch = (executable) =>
  chromium.launch({
    executablePath: executable,
    args: ["--no-sandbox", "--disable-gpu-compositing", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
  });

/** `said`: what came to the console, errors, and requests for anything but the file itself. */
export const openReport = async (browser, file, options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(180000); // WebGL in software has taken a minute to start on a machine that others use too
  const said = [];
  page.on("console", (message) => {
    if (!message.text().includes("GL Driver Message (OpenGL, Performance")) // reading pixels back waits for the drawing
      said.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => said.push(error.stack));
  page.on("dialog", (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("data:") && !url.startsWith("blob:") && url !== encodeURI(`file://${file}`)) said.push(`request: ${url}`);
  });
  /** Until what was asked for is drawn. */
  const settled = () =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20)))));
  await page.goto(`file://${file}`);
  await page.waitForSelector("html[data-ready]");
  return {
    page,
    said,
    settled,
    close: () => context.close(),
    text: (selector) => page.locator(selector).first().innerText(),
    /** Moves a range input as a hand does, and lets the page draw. */
    set: async (selector, value) => {
      await page.locator(selector).evaluate((input, v) => {
        input.value = v;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }, value);
      await settled();
    },
    /** A canvas's pixels, as a word that is another for other pixels. */
    pixels: async (canvas) => {
      await settled();
      const url = await canvas.evaluate((element) => element.toDataURL());
      return createHash("sha1").update(url).digest("hex");
    },
  };
};
