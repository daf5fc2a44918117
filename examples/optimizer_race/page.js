"use strict";
// The state is a step, a set of optimizers that are shown, and at most one that is in front. Everything is drawn anew
// from it. The address can hold it too: #step=120&show=adam,sgd&front=adam (or show=all, tables, play)

const data = JSON.parse(document.getElementById("race-data").textContent);
const few = data.racers.map((r) => r.id).filter((id) => document.getElementById("show-" + id).checked);
const state = { step: data.steps, shown: new Set(few), front: null };

const slider = document.getElementById("step");
const stepText = document.getElementById("step-text");
const play = document.getElementById("play");

// ---- drawing

const LEAST = -8; // the lowest power of ten of a loss chart
let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["text", "quiet", "line", "contour", "accent", ...data.racers.map((r) => r.family)]) {
    colours[name] = style.getPropertyValue("--" + name).trim();
  }
}

// A cleared drawing surface in CSS pixels, sharp on every screen.
function begin(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const wanted = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wanted[0] || canvas.height !== wanted[1]) [canvas.width, canvas.height] = wanted;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineJoin = "round";
  return { pen, width, height };
}

// Those in sight, the one in front last, so that it is on top.
function inOrder() {
  const shown = data.racers.filter((r) => state.shown.has(r.id) && r.id !== state.front);
  return shown.concat(data.racers.filter((r) => r.id === state.front));
}

function line(pen, racer, points) {
  if (points.length === 0) return;
  const front = racer.id === state.front;
  pen.globalAlpha = state.front && !front ? 0.25 : 1;
  pen.strokeStyle = pen.fillStyle = colours[racer.family];
  pen.lineWidth = front ? 3 : 1.7;
  pen.setLineDash(racer.dash ? racer.dash.split(" ").map(Number) : []);
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
  pen.setLineDash([]);
  marker(pen, racer.marker, points[points.length - 1]);
  pen.globalAlpha = 1;
}

function marker(pen, kind, [x, y]) {
  const shapes = [
    () => pen.arc(x, y, 4.5, 0, 2 * Math.PI),
    () => pen.rect(x - 4, y - 4, 8, 8),
    () => corners(pen, [[x, y - 5.5], [x + 5.5, y + 4.5], [x - 5.5, y + 4.5]]),
    () => corners(pen, [[x, y - 5.5], [x + 5.5, y], [x, y + 5.5], [x - 5.5, y]]),
  ];
  pen.beginPath();
  shapes[kind]();
  pen.fill();
}

function corners(pen, points) {
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.closePath();
}

function drawMap(surface) {
  const { pen, width } = begin(surface.map);
  const scale = width / data.side;
  pen.save();
  pen.scale(scale, scale);
  pen.strokeStyle = colours.contour;
  pen.lineWidth = 1 / scale;
  for (const path of surface.paths) pen.stroke(path);
  pen.restore();

  const [[left, right], [bottom, top]] = surface.window;
  // Far outside it does not matter where, but the numbers must stay small.
  const clip = (v) => Math.max(-width, Math.min(2 * width, v));
  const place = ([x, y]) => [
    clip(((x - left) / (right - left)) * width),
    clip(((top - y) / (top - bottom)) * width),
  ];
  pen.strokeStyle = colours.text;
  pen.lineWidth = 2;
  for (const [x, y] of surface.minima.map(place)) {
    pen.beginPath();
    pen.moveTo(x - 7, y);
    pen.lineTo(x + 7, y);
    pen.moveTo(x, y - 7);
    pen.lineTo(x, y + 7);
    pen.stroke();
  }
  for (const racer of inOrder()) {
    const run = surface.runs[racer.id];
    if (run) line(pen, racer, run.points.slice(0, state.step + 1).filter((p) => p !== null).map(place));
  }
}

// Axes of steps and powers of ten; returns where a step and a power are.
function axes(pen, width, height, steps, low, high) {
  const [left, right, top, bottom] = [46, 12, 12, 30];
  const x = (step) => left + (step / steps) * (width - left - right);
  const y = (power) => top + ((high - Math.max(low, power)) / (high - low)) * (height - top - bottom);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = colours.quiet;
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [text, power] of ticks(low, high)) {
    rule(pen, [left, y(power)], [width - right, y(power)]);
    pen.fillText(text, left - 6, y(power));
  }
  pen.textBaseline = "top";
  for (let i = 0; i <= 4; i++) {
    const step = Math.round((steps * i) / 4);
    pen.textAlign = i === 0 ? "left" : i === 4 ? "right" : "center";
    pen.fillText((i === 0 ? "step " : "") + step, x(step), height - bottom + 8);
  }
  return { x, y };
}

// Powers of ten; 1, 2, 5, 10 in a short range.
function ticks(low, high) {
  const found = [];
  const every = high - low > 6 ? 2 : 1;
  const between = high - low < 3 ? [1, 2, 5] : [1];
  for (let power = Math.floor(low); power <= high; power += every) {
    for (const digit of between) {
      const text = between.length > 1 ? String(Number(`${digit}e${power}`)) : "1e" + power;
      found.push([text, power + Math.log10(digit)]);
    }
  }
  return found.filter(([, power]) => low <= power && power <= high);
}

function rule(pen, from, to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
}

function drawCurve(surface) {
  const { pen, width, height } = begin(surface.curve);
  const { x, y } = axes(pen, width, height, data.steps, LEAST, surface.highest);
  const goal = Math.log10(data.goal);
  pen.strokeStyle = colours.text;
  pen.setLineDash([2, 4]);
  rule(pen, [x(0), y(goal)], [x(data.steps), y(goal)]);
  pen.setLineDash([]);
  for (const racer of inOrder()) {
    const run = surface.runs[racer.id];
    if (!run) continue;
    const losses = run.log10_losses.slice(0, state.step + 1).filter((loss) => loss !== null);
    line(pen, racer, losses.map((loss, step) => [x(step), y(Math.min(loss, surface.highest))]));
  }
}

function drawDigits() {
  const { pen, width, height } = begin(document.getElementById("curve-digits"));
  const runs = data.digits.runs;
  const all = Object.values(runs).flatMap((run) => run.curve.map((point) => point[1]));
  const [low, high] = [Math.min(...all) - 0.05, Math.max(...all) + 0.05];
  const { x, y } = axes(pen, width, height, data.digits.steps, low, high);
  for (const racer of inOrder()) {
    const run = runs[racer.id];
    if (run) line(pen, racer, run.curve.map(([step, loss]) => [x(step), y(loss)]));
  }
}

// At most once a frame, however much has changed.
let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const surface of data.surfaces) {
      drawMap(surface);
      drawCurve(surface);
    }
    drawDigits();
  });
}

// ---- the state

function setStep(step) {
  state.step = Math.max(0, Math.min(data.steps, Math.round(step) || 0));
  slider.value = state.step;
  stepText.textContent = `step ${state.step} of ${data.steps}`;
  draw();
}

function show(ids) {
  state.shown = new Set(ids);
  for (const racer of data.racers) document.getElementById("show-" + racer.id).checked = state.shown.has(racer.id);
  draw();
}

function setFront(id) {
  state.front = id;
  for (const racer of data.racers) {
    document.getElementById("mark-" + racer.id).setAttribute("aria-pressed", racer.id === id);
  }
  draw();
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = (id) => data.racers.some((r) => r.id === id);
  if (asked.has("show")) {
    const ids = asked.get("show");
    show(ids === "all" ? data.racers.map((r) => r.id) : ids.split(",").filter(known));
  }
  if (asked.has("front")) setFront(known(asked.get("front")) ? asked.get("front") : null);
  if (asked.has("step")) setStep(Number(asked.get("step")));
  if (asked.has("tables")) document.querySelectorAll("details").forEach((d) => (d.open = true));
  if (asked.has("play")) start();
}

// ---- playing: the whole race in about ten seconds

const SECONDS = 10;
let began = null; // the time at which step 0 would have been

function start() {
  if (state.step === data.steps) setStep(0);
  began = performance.now() - (state.step / data.steps) * SECONDS * 1000;
  play.textContent = "Pause";
  requestAnimationFrame(tick);
}

function stop() {
  began = null;
  play.textContent = "Play";
}

function tick(now) {
  if (began === null) return;
  setStep(((now - began) / (SECONDS * 1000)) * data.steps);
  if (state.step === data.steps) stop();
  else requestAnimationFrame(tick);
}

// ---- listening

play.addEventListener("click", () => (began === null ? start() : stop()));
slider.addEventListener("input", () => {
  stop();
  setStep(Number(slider.value));
});
for (const racer of data.racers) {
  const box = document.getElementById("show-" + racer.id);
  box.addEventListener("change", () => {
    box.checked ? state.shown.add(racer.id) : state.shown.delete(racer.id);
    draw();
  });
  document.getElementById("mark-" + racer.id).addEventListener("click", () => {
    setFront(state.front === racer.id ? null : racer.id);
  });
}
document.getElementById("show-few").addEventListener("click", () => show(few));
document.getElementById("show-all").addEventListener("click", () => show(data.racers.map((r) => r.id)));
document.getElementById("show-none").addEventListener("click", () => show([]));
window.addEventListener("hashchange", readAddress);
window.addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColours();
  draw();
});

for (const surface of data.surfaces) {
  surface.map = document.getElementById("map-" + surface.id);
  surface.curve = document.getElementById("curve-" + surface.id);
  surface.paths = surface.contours.map((d) => new Path2D(d));
  // A little above the start: runs may climb before they fall.
  const first = Object.values(surface.runs).find((run) => run !== null).log10_losses[0];
  surface.highest = Math.ceil(first) + 1;
}
readColours();
readAddress();
draw();
