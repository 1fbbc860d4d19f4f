// The box beside the pointer: named fields, set as text and never as markup.
import { formatValue } from "./format.js";

const GAP_PX = 14;

export class Tooltip {
  constructor(box) {
    this.node = document.createElement("div");
    this.node.className = "gridmap-tip";
    this.node.setAttribute("role", "tooltip");
    this.node.hidden = true;
    box.appendChild(this.node);
    this.box = box;
  }

  /** Show a layer's fields for one feature at a point of the map. */
  show({ layer, properties, value, point, scene }) {
    const rows = readRows(layer, properties, value, scene);
    if (rows.length === 0) {
      this.hide();
      return;
    }
    const key = JSON.stringify([layer.id, rows]);
    if (key !== this.key) {
      this.key = key;
      this.write(layer, rows);
    }
    this.node.hidden = false;
    this.place(point);
  }

  hide() {
    this.node.hidden = true;
  }

  write(layer, rows) {
    this.node.textContent = "";
    const name = rows.find((row) => row.heading);
    this.node.appendChild(element("div", "gridmap-tip-head", name ? name.text : layer.title));
    const list = document.createElement("dl");
    for (const row of rows.filter((one) => one !== name)) {
      list.appendChild(element("dt", "", row.title));
      list.appendChild(element("dd", "", row.text));
    }
    if (list.childNodes.length > 0) this.node.appendChild(list);
  }

  place(point) {
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const right = point.x + GAP_PX + width > this.box.clientWidth;
    const below = point.y + GAP_PX + height > this.box.clientHeight;
    const x = right ? point.x - GAP_PX - width : point.x + GAP_PX;
    const y = below ? point.y - GAP_PX - height : point.y + GAP_PX;
    this.node.style.transform = `translate(${Math.max(4, Math.round(x))}px, ${Math.max(4, Math.round(y))}px)`;
  }
}

function readRows(layer, properties, value, scene) {
  const rows = [];
  for (const given of layer.fields || []) {
    const field = typeof given === "string" ? { name: given } : given;
    const raw = field.name === "$value" ? value : properties[field.name];
    // A figure that is only told in bounds comes as the words to show.
    const worded = field.name === "$value" && typeof value === "string";
    let text = worded ? value : formatValue(raw, field, scene.lang);
    if (field.name === "$value" && text === "") text = scene.words.no_data || "–";
    const heading = field.name === "name";
    if (text !== "") rows.push({ heading, title: field.title || titleOf(field.name, scene), text });
  }
  return rows;
}

function titleOf(name, scene) {
  return scene.words[`field.${name}`] || name;
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}
