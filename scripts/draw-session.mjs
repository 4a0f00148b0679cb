// Draws what terminals showed as one SVG that plays by itself: pictures one after the other, in an endless loop. Whoever
// asks their system for less motion sees the last one.

const CELL_WIDTH = 7.8;
const CELL_HEIGHT = 17;
const FONT_SIZE = 13;
const MARGIN = 12;
const TITLE_HEIGHT = 30;

const THEMES = {
  light: {
    back: "#ffffff",
    bar: "#eaeef2",
    edge: "#d0d7de",
    text: "#1f2328",
    faint: "#59636e",
    good: "#1a7f37",
    busy: "#0969da",
    bad: "#cf222e",
  },
  dark: {
    back: "#0d1117",
    bar: "#21262d",
    edge: "#3d444d",
    text: "#e6edf3",
    faint: "#9198a1",
    good: "#3fb950",
    busy: "#58a6ff",
    bad: "#f85149",
  },
};

/** By the codes that dsync's view uses. */
const WEIGHTS = { 0: "", 1: "strong", 2: "faint", 22: "" };
const COLORS = { 0: "", 31: "bad", 32: "good", 36: "busy", 39: "" };

/**
 * `frames`: for each, `screens` (one per terminal: lines with SGR codes) and `ms`. `titles`: one per terminal.
 */
export function drawSession({ frames, titles, columns, rows, theme }) {
  const colors = THEMES[theme];
  const width = columns * CELL_WIDTH + 2 * MARGIN;
  const height = TITLE_HEIGHT + rows * CELL_HEIGHT + 2 * MARGIN;
  const totalWidth = round(titles.length * width + (titles.length - 1) * MARGIN + 2);
  const totalMs = frames.reduce((sum, { ms }) => sum + ms, 0);
  const lines = new Map();
  const pictures = frames.map(({ screens }) =>
    screens.map((screen, index) => placeLines(screen, index * (width + MARGIN) + MARGIN, lines)).join(""),
  );
  const rules = [];
  let sinceMs = 0;
  for (const [index, { ms }] of frames.entries()) {
    const [from, to] = [percent(sinceMs, totalMs), percent(sinceMs + ms, totalMs)];
    sinceMs += ms;
    const before = index === 0 ? "" : `0%{visibility:hidden}`;
    const after = index === frames.length - 1 ? "" : `${to}%{visibility:hidden}`;
    rules.push(`@keyframes k${index}{${before}${from}%{visibility:visible}${after}}`);
    rules.push(`#p${index}{animation:k${index} ${round(totalMs / 1000)}s step-end infinite}`);
  }
  const style = [
    `text{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${colors.text};white-space:pre}`,
    ".strong{font-weight:bold}",
    ...["faint", "good", "busy", "bad"].map((name) => `.${name}{fill:${colors[name]}}`),
    ".p{visibility:hidden}",
    ...rules,
    `@media (prefers-reduced-motion:reduce){.p{animation:none!important}#p${frames.length - 1}{visibility:visible}}`,
  ];
  const windows = titles.map((title, index) => {
    const x = round(index * (width + MARGIN) + 1);
    return [
      `<rect x="${x}" y="1" width="${round(width)}" height="${round(height)}" rx="8" fill="${colors.bar}" stroke="${colors.edge}"/>`,
      `<path d="M${x} ${TITLE_HEIGHT}h${round(width)}v${round(height - TITLE_HEIGHT - 7)}a8 8 0 0 1-8 8h-${round(width - 16)}a8 8 0 0 1-8-8z" fill="${colors.back}"/>`,
      `<text class="faint" x="${round(x + width / 2)}" y="20" text-anchor="middle">${escaped(title)}</text>`,
    ].join("\n");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${totalWidth} ${round(height + 2)}" width="${totalWidth}" height="${round(height + 2)}" role="img" aria-labelledby="t">`,
    `<title id="t">dsync is started on two machines; they find each other, and their folders become one</title>`,
    `<style>${style.join("\n")}</style>`,
    `<defs>${[...lines].map(([line, id]) => `<g id="${id}">${line}</g>`).join("\n")}</defs>`,
    ...windows,
    ...pictures.map((picture, index) => `<g class="p" id="p${index}">${picture}</g>`),
    "</svg>",
    "",
  ].join("\n");
}

/** Each different line is drawn once, in `lines`, and used wherever it stands. */
function placeLines(screen, left, lines) {
  return screen
    .map((line, row) => {
      const drawn = drawLine(line);
      if (drawn === "") return "";
      const id = lines.get(drawn) ?? `l${lines.size}`;
      lines.set(drawn, id);
      const y = TITLE_HEIGHT + MARGIN + row * CELL_HEIGHT + FONT_SIZE;
      return `<use href="#${id}" x="${round(left)}" y="${round(y)}"/>`;
    })
    .join("");
}

/** Runs of one style, each stretched to the cells that it takes, whatever font there is. */
function drawLine(line) {
  let column = 0;
  let [weight, color] = ["", ""];
  let drawn = "";
  // oxlint-disable-next-line no-control-regex
  for (const piece of line.split(/(\u001b\[[\d;]*m)/)) {
    if (piece.startsWith("\u001b")) {
      const codes = piece.slice(2, -1).split(";").map(Number);
      for (const code of codes) [weight, color] = [WEIGHTS[code] ?? weight, COLORS[code] ?? color];
      continue;
    }
    // Where spaces are, nothing is to be drawn: a run may begin anywhere.
    for (const [, spaces, words] of piece.matchAll(/( *)((?:[^ ]| (?! ))*)/g)) {
      column += spaces.length;
      const cells = [...words].length;
      const text = words.trimEnd();
      if (text !== "") {
        const style = color === "" ? weight : color;
        const kind = style === "" ? "" : ` class="${style}"`;
        const length = round([...text].length * CELL_WIDTH);
        drawn += `<text${kind} x="${round(column * CELL_WIDTH)}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</text>`;
      }
      column += cells;
    }
  }
  return drawn;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value) {
  return Math.round(value * 100) / 100;
}

function percent(ms, totalMs) {
  return Math.round((ms / totalMs) * 100_000) / 1000;
}
