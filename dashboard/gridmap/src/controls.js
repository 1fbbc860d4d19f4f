// Zoom, reset and scale bar; their words come from the page.
import { fill } from "./format.js";

const BAR_PX = 110;
const EARTH_M_PER_PX = 156543.03392804097 / 2; // at zoom 0 on the equator, 512 px tiles

const SIGNS = {
  zoom_in: "M12 5v14M5 12h14",
  zoom_out: "M5 12h14",
  reset_view: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};

export class Controls {
  constructor(map, box, actions) {
    this.map = map;
    this.buttons = new Map();
    const bar = document.createElement("div");
    bar.className = "gridmap-buttons";
    for (const name of Object.keys(SIGNS)) bar.appendChild(this.makeButton(name, actions[name]));
    box.appendChild(bar);
    this.bar = bar;
    this.foot = document.createElement("div");
    this.foot.className = "gridmap-foot";
    this.scale = document.createElement("div");
    this.scale.className = "gridmap-scale";
    this.sources = document.createElement("div");
    this.sources.className = "gridmap-source";
    this.foot.append(this.scale, this.sources);
    box.appendChild(this.foot);
    map.on("move", () => this.measure());
    map.on("resize", () => this.measure());
  }

  makeButton(name, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", action);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", SIGNS[name]);
    svg.appendChild(path);
    button.appendChild(svg);
    this.buttons.set(name, button);
    return button;
  }

  /** Set words, sources and whether the buttons are there. */
  update({ words, attributions, shown }) {
    this.words = words;
    for (const [name, button] of this.buttons) {
      button.title = words[name] || name;
      button.setAttribute("aria-label", words[name] || name);
    }
    this.bar.hidden = !shown;
    this.sources.textContent = attributions.join(" · ");
    this.measure();
  }

  measure() {
    if (!this.words) return;
    const { lat } = this.map.getCenter();
    const perPx =
      (EARTH_M_PER_PX * Math.cos((lat * Math.PI) / 180)) / Math.pow(2, this.map.getZoom());
    const length = roundDown(perPx * BAR_PX);
    const far = length >= 1000;
    this.scale.style.width = `${Math.round(length / perPx)}px`;
    this.scale.textContent = fill(this.words[far ? "kilometres" : "metres"] || "{n}", {
      n: far ? length / 1000 : length,
    });
  }
}

/** Return the largest of 1, 2, 3, 5 × 10ⁿ not above a length. */
function roundDown(length) {
  const power = Math.pow(10, Math.floor(Math.log10(length)));
  const digit = length / power;
  return power * [5, 3, 2, 1].find((one) => digit >= one || one === 1);
}
