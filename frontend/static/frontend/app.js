// Progressive enhancement only: every page works as plain links and forms without this file.

const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
const YEAR_SECONDS = 31536000;

function remember(name, value) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${name}=${value};path=/;max-age=${YEAR_SECONDS};samesite=lax${secure}`;
}

function toast(message) {
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = message;
  find("#toasts").append(note);
  setTimeout(() => note.remove(), 5000);
}

// --- theme -----------------------------------------------------------------------------------------------

function isDark() {
  if (root.dataset.theme) return root.dataset.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function paintTheme() {
  for (const button of findAll("[data-theme-toggle]")) {
    button.setAttribute("aria-label", isDark() ? "Switch to light theme" : "Switch to dark theme");
  }
}

function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  remember("theme", root.dataset.theme);
  paintTheme();
}

// --- dialogs, copy buttons -------------------------------------------------------------------------------

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  const opener = document.activeElement;
  dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
  dialog.showModal();
}

async function copyText(button) {
  const text = button.dataset.copy || find(button.dataset.copyFrom)?.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser refused to copy. Select the text and copy it by hand.");
  }
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (target instanceof HTMLDialogElement) return target.close();
  const control = target.closest("[data-theme-toggle],[data-open],[data-copy],[data-copy-from]");
  if (control) {
    if ("themeToggle" in control.dataset) toggleTheme();
    else if (control.dataset.open) {
      if (!document.getElementById(control.dataset.open)) return; // its link leads to where the dialog is
      event.preventDefault();
      openDialog(control.dataset.open);
    } else copyText(control);
    return;
  }
  for (const menu of findAll("details[data-menu][open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

// A second click on a submit button must not start a second run: the form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const method = event.submitter?.formMethod || form.method;
  if (method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "true";
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of findAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// --- command palette -------------------------------------------------------------------------------------

function startPalette(palette) {
  const input = find("input", palette);
  const options = findAll("[role=option]", palette);
  const nothing = find("[data-nothing]", palette);
  let current = 0;

  const shown = () => options.filter((option) => !option.hidden);
  function paint() {
    const visible = shown();
    current = Math.max(0, Math.min(current, visible.length - 1));
    for (const option of options) option.setAttribute("aria-selected", option === visible[current]);
    nothing.hidden = visible.length > 0;
    if (visible[current]) {
      input.setAttribute("aria-activedescendant", visible[current].id);
      visible[current].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }
  function go(option) {
    if (option) location.assign(option.dataset.href);
  }

  input.addEventListener("input", () => {
    const words = input.value.toLowerCase();
    for (const option of options) option.hidden = !option.textContent.toLowerCase().includes(words);
    current = 0;
    paint();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      current += event.key === "ArrowDown" ? 1 : -1;
      paint();
      event.preventDefault();
    } else if (event.key === "Enter") go(shown()[current]);
  });
  palette.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  paint();
}
const palette = find("#palette");
if (palette) startPalette(palette);

// --- keyboard --------------------------------------------------------------------------------------------

let goPressedAt = 0;

function moveInTable(step) {
  const rows = findAll("[data-rows] tbody tr");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement) || "current" in row.dataset);
  const next = Math.max(0, Math.min(rows.length - 1, at + step));
  for (const row of rows) delete row.dataset.current;
  rows[next].dataset.current = "";
  find("a", rows[next])?.focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

function focusFilter() {
  const filter = find("input[type=search]");
  if (!filter) return false;
  filter.focus();
  filter.select();
  return true;
}

function singleKey(event) {
  if (goPressedAt && Date.now() - goPressedAt < 900) {
    goPressedAt = 0;
    const link = find(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) location.assign(link.href);
    return;
  }
  if (event.key === "g") goPressedAt = Date.now();
  else if (event.key === "/") {
    if (focusFilter()) event.preventDefault();
  } else if (event.key === "?") openDialog("keys");
  else if (event.key === "n") find("[data-key=n]")?.click();
  else if (event.key === "j") moveInTable(1);
  else if (event.key === "k") moveInTable(-1);
  else if (event.key === "Enter" && event.target === document.body) find("[data-current] a")?.click();
}

addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    if (palette) {
      event.preventDefault();
      openDialog("palette");
    }
    return;
  }
  const menu = event.key === "Escape" && find("details[data-menu][open]");
  if (menu) {
    menu.open = false;
    find("summary", menu).focus();
    return;
  }
  // Single keys can be switched off in the profile (WCAG 2.1.4) and never act while somebody types.
  if (root.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input,textarea,select,dialog,[contenteditable]")) return;
  singleKey(event);
});

// --- live progress: poll while no stream is open ---------------------------------------------------------

const STREAM_PATIENCE_MS = 5000;
const POLL_MS = 2000;

function startLive(region) {
  let streaming = false;
  let ended = false;
  region.addEventListener("htmx:sse:after:connection", () => (streaming = true));
  region.addEventListener("htmx:sse:error", () => (streaming = false));
  region.addEventListener("done", () => (ended = true));
  setTimeout(function poll() {
    if (ended || !region.isConnected) return;
    if (!streaming) window.htmx.ajax("GET", region.dataset.poll, { target: region, swap: "innerMorph" });
    if (find("[data-ended]", region)) {
      ended = true;
      region.dispatchEvent(new CustomEvent("done", { bubbles: true }));
      return;
    }
    setTimeout(poll, POLL_MS);
  }, STREAM_PATIENCE_MS);
}
findAll("[data-poll]").forEach(startLive);

// --- config editor: line numbers and marks ---------------------------------------------------------------

function paintGutter(editor) {
  const area = find("textarea", editor);
  const gutter = find("[data-gutter]", editor);
  const lines = area.value.split("\n").length;
  const bad = new Set(findAll("[data-line]").map((problem) => Number(problem.dataset.line)));
  area.rows = Math.max(lines, 12);
  gutter.replaceChildren();
  for (let line = 1; line <= lines; line++) {
    const mark = bad.has(line) ? document.createElement("b") : document.createTextNode("");
    mark.textContent = `${line}\n`;
    gutter.append(mark);
  }
}

for (const editor of findAll("[data-editor]")) {
  const area = find("textarea", editor);
  area.addEventListener("input", () => paintGutter(editor));
  document.addEventListener("htmx:after:swap", () => paintGutter(editor));
  area.addEventListener("keydown", (event) => {
    // Tab indents; Escape first lets Tab leave the field, so nobody is trapped.
    if (event.key === "Escape") area.dataset.leave = "true";
    else if (event.key === "Tab" && !event.shiftKey && !area.dataset.leave) {
      event.preventDefault();
      area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    } else delete area.dataset.leave;
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  const area = find("[data-editor] textarea");
  if (!area) return find(`[name="key:${CSS.escape(link.dataset.path)}"]:not([type=hidden])`)?.focus();
  const lines = area.value.split("\n");
  const line = Number(link.dataset.line);
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
});

// --- chart crosshair: one listener; positions go through the CSS object model, which the policy allows -----

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
let crosshair = null;
const pointsOf = new WeakMap();

document.addEventListener("pointermove", (event) => {
  const chart = event.target.closest?.("svg[data-points]");
  crosshair?.remove();
  crosshair = null;
  tip.hidden = !chart;
  if (!chart) return;
  if (!pointsOf.has(chart)) pointsOf.set(chart, JSON.parse(chart.dataset.points));
  const points = pointsOf.get(chart);
  const matrix = chart.getScreenCTM();
  const x = (event.clientX - matrix.e) / matrix.a;
  let nearest = 0;
  points.x.forEach((value, index) => {
    if (Math.abs(value - x) < Math.abs(points.x[nearest] - x)) nearest = index;
  });
  crosshair = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const place = { class: "crosshair", x1: points.x[nearest], x2: points.x[nearest], y1: points.top, y2: points.bottom };
  for (const [name, value] of Object.entries(place)) crosshair.setAttribute(name, value);
  chart.append(crosshair);
  tip.textContent = points.labels[nearest];
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${event.clientY + 14}px`;
});

// --- strips that scroll on narrow screens begin at the current item -----------------------------------------

for (const strip of findAll(".nav, .seg, .tabs")) {
  const item = find("[aria-current]", strip)?.getBoundingClientRect();
  const { left, width } = strip.getBoundingClientRect();
  if (item) strip.scrollLeft += item.left + item.width / 2 - (left + width / 2);
}

// --- messages from the server ----------------------------------------------------------------------------

document.body.addEventListener("toast", (event) => toast(event.detail.value));
// Focus moves to the first field in error after a form came back.
find("[aria-invalid=true]")?.focus();
paintTheme();
findAll("[data-editor]").forEach(paintGutter);
