// Plays presentations with hls.js. Arguments: of each its name, how many rungs its ladder has, its URL.
import { readFile } from "node:fs/promises";
import { browser, check } from "./browser.mjs";

const told = process.argv.slice(2);
const library = await readFile(new URL("node_modules/hls.js/dist/hls.min.js", import.meta.url), "utf8");
const chromium = await browser();
try {
  const page = await chromium.newPage();
  while (told.length > 0) {
    const [name, rungs, url] = told.splice(0, 3);
    await page.goto(new URL("/", url).href);
    await page.addScriptTag({ content: library });
    const seen = await page.evaluate(source => new Promise((resolve, reject) => {
      const video = Object.assign(document.createElement("video"), { muted: true });
      document.body.append(video);
      const hls = new Hls();
      const rungs = () => hls.levels.map(level => level.height);
      hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) reject(new Error(error.details)); });
      hls.on(Hls.Events.MANIFEST_PARSED, () => video.play().catch(reject));
      video.ontimeupdate = () => {
        const from = video.buffered.length ? video.buffered.start(0) : 0;
        if (video.currentTime - from > 2.5) resolve({ rungs: rungs(), width: video.videoWidth, sound: hls.audioTracks.length });
      };
      setTimeout(() => reject(new Error(`it stands at ${video.currentTime} s`)), 30000);
      hls.loadSource(source);
      hls.attachMedia(video);
    }), url);
    check(`${name} has the rungs of its ladder`, seen.rungs.length, Number(rungs));
    check(`${name} shows a picture`, [160, 320].includes(seen.width), true);
    check(`${name} has sound`, seen.sound, 1);
    console.log(`hls.js: ${name} plays (${JSON.stringify(seen)})`);
  }
} finally {
  await chromium.close();
}
