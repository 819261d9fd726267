// SPDX-License-Identifier: Apache-2.0
// The 3D view: NiiVue shows the frame, level and mode that the controls say.

export const checkSpace = async ({ page, set, settled, text, check }) => {
  await page.setViewportSize({ width: 420, height: 400 }); // WebGL without a GPU takes its time
  await page.locator("#space").scrollIntoViewIfNeeded();
  await page.waitForFunction(() => report.spaceReady);
  await check("3D view", async () => await page.evaluate(() => report.spaceReady), async () => await text("#stage-text"));
  const state = async () => {
    await settled();
    return page.evaluate(() => ({
      frame: report.viewer.volumes[0].frame4D,
      opacity: report.viewer.volumes[0].opacity,
      vertices: report.viewer.meshes.length ? report.viewer.meshes[0].pts.length : 0,
      azimuth: report.viewer.scene.renderAzimuth,
      scale: report.viewer.scene.volScaleMultiplier,
    }));
  };
  const image = () => page.locator("#stage").screenshot().then((png) => png.toString("base64"));

  await set("#space-frame", 11);
  await check("frame of the 3D view", async () => (await state()).frame === 11 && (await page.inputValue("#frame")) === "11", state);
  const last = await state();
  await check("a surface", async () => last.vertices > 0 && /Surface of [\d,]+ triangles at 5.00 s/.test(await text("#space-readout")), async () => await text("#space-readout"));
  const shown = await image();
  await set("#space-frame", 6);
  await check("another moment is another surface", async () => (await state()).vertices !== last.vertices && (await image()) !== shown);
  await set("#frame", 11);
  await check("the projections' time is the 3D view's", async () => (await state()).frame === 11 && (await page.inputValue("#space-frame")) === "11");
  await set("#level", 80);
  await check("a higher level is a smaller surface", async () => (await state()).vertices < last.vertices, async () => [await state(), last]);
  await set("#level", 30);
  for (const [mode, opacity, surface] of [["volume", 1, false], ["both", 0.5, true], ["surface", 0, true]]) {
    await page.selectOption("#space-mode", mode);
    const holds = ({ opacity: found, vertices }) => found === opacity && vertices > 0 === surface;
    await check(`mode ${mode}`, async () => holds(await state()), state);
  }
  const front = await image();
  await page.selectOption("#space-from", "90,0");
  await check("from the side", async () => (await state()).azimuth === 90 && (await image()) !== front);
  await page.focus("#stage");
  await page.keyboard.press("ArrowRight");
  await check("an arrow turns", async () => (await state()).azimuth === 100, async () => await state());
  const scale = (await state()).scale;
  await page.keyboard.press("+");
  await check("plus zooms", async () => (await state()).scale > scale);
  const top = await page.evaluate(() => scrollY);
  await page.locator("#stage").hover();
  await page.mouse.wheel(0, 60);
  await check("the wheel scrolls the page", async () => (await page.evaluate(() => scrollY)) > top && (await state()).scale > scale);
  await set("#space-frame", 0);
  await page.click("#space-play");
  await check("the 3D view plays", async () => Number(await page.inputValue("#space-frame")) >= 2);
  await page.dispatchEvent("#space-play", "click");
  await page.setViewportSize({ width: 1000, height: 700 });
};
