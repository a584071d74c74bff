// The page for people: what it shows, and what its buttons do.
import { browser, check } from "./browser.mjs";

const [host, pictures] = process.argv.slice(2);
const steer = async (method, path, body) => {
  const response = await fetch(`${host}/_emulator/${path}`, { method, body });
  check(`${method} ${path}`, response.ok, true);
  return response.status === 204 ? undefined : response.json();
};
const chromium = await browser();
try {
  const page = await chromium.newPage({ viewport: { width: 1280, height: 900 } });
  const problems = [];
  page.on("pageerror", problem => problems.push(problem.message));
  await page.goto(host + "/");
  const shows = (id, text) => page.locator(id).filter({ hasText: text }).waitFor({ timeout: 15000 });

  // Resources with their states, and those that one looks for.
  await shows("#resources", "job-1");
  await page.fill("#search", "streamingEndpoint");
  await page.locator("#resources tr", { hasText: "default" }).locator(".good", { hasText: "Running" }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("#resources tr").length === 1);
  await page.fill("#search", "");

  // The clock.
  await page.click("#pause");
  await shows("#now", "(paused)");
  check("the clock", (await steer("GET", "clock")).paused, true);
  const before = new Date((await steer("GET", "clock")).now);
  await page.click("[data-step='60']");
  await page.waitForTimeout(300);
  check("a minute later", new Date((await steer("GET", "clock")).now) - before, 60000);
  await page.fill("#scale", "5");
  await page.press("#scale", "Enter");
  await page.waitForTimeout(300);
  check("the scale", (await steer("GET", "clock")).scale, 5);

  // A state that moves is marked.
  await fetch(`${host}/api/v1/projects/demo/media/streamingEndpoints/default/stop`, { method: "POST", headers: { authorization: "Bearer secret" } });
  await page.locator("#resources tr.moved", { hasText: "Stopping" }).waitFor();

  // A fault, the request that it meets, and a refusal.
  await page.fill("#rule", "GET */media/content status=503 times=1");
  await page.click("#add button");
  await shows("#faults", "*/media/content");
  await fetch(`${host}/api/v1/projects/demo/media/content?$top=1`, { headers: { authorization: "Bearer secret" } });
  const line = page.locator("#requests tr.opens", { hasText: "status" }).first();
  await line.waitFor();
  check("the operation", (await line.textContent()).includes("list_contents"), true);
  await line.click();
  await page.locator("#requests pre", { hasText: "EmulatedFault" }).first().waitFor({ state: "visible" });
  await page.fill("#rule", "GET /x");
  await page.click("#add button");
  await shows("#problem", "it does nothing");
  await page.click("#clear");
  await shows("#faults", "none");

  // Deliveries, and pictures of what is published and of what comes in.
  await shows("#deliveries", "MediaKind.JobFinished");
  await shows("#pictures", "film: out");
  const loaded = await page.locator("#pictures img").evaluateAll(images => images.map(image => image.naturalWidth > 0));
  check("thumbnails", loaded.length > 0 && loaded.every(Boolean), true);
  await page.screenshot({ path: `${pictures}/page.png`, fullPage: true });
  await page.setViewportSize({ width: 500, height: 900 });
  await page.screenshot({ path: `${pictures}/narrow.png` });
  await page.setViewportSize({ width: 1280, height: 900 });

  // The state is saved and loaded again, and everything begins anew.
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  await page.click("#reset");
  await page.locator("#resources", { hasText: "job-1" }).waitFor({ state: "detached" }).catch(() => {});
  await page.waitForFunction(() => !document.getElementById("resources").textContent.includes("job-1"));
  await page.setInputFiles("#file", await download.path());
  await shows("#resources", "job-1");
  check("errors of the page", problems, []);
  console.log("chromium: the page shows and steers");
} finally {
  await chromium.close();
}
