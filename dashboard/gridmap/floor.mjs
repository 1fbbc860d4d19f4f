// The oldest browser the map must run in, and the check that a bundle stays readable for it.
// Many offices run domestic browsers on a Chromium 86 kernel (360, 奇安信).
import { parse } from "acorn";

export const FLOOR = "chrome86";

// Names that came after Chromium 86, with the version that brought them. A bundle may use one only
// if it is in HANDLED: filled in by src/polyfills.js, or reached only behind a test of its presence.
const YOUNGER_MEMBERS = {
  at: 92, checkVisibility: 105, findLast: 97, findLastIndex: 97, fromAsync: 121, getOrInsert: 144,
  getOrInsertComputed: 144, groupBy: 117, hasOwn: 93, isDisjointFrom: 122, isSubsetOf: 122,
  isSupersetOf: 122, isWellFormed: 111, randomUUID: 92, Segmenter: 87, showPopover: 114,
  symmetricDifference: 122, throwIfAborted: 100, toReversed: 110, toSorted: 110, toSpliced: 110,
  toWellFormed: 111, withResolvers: 119,
};
const YOUNGER_GLOBALS = { Iterator: 122, structuredClone: 98, VideoFrame: 94 };
const HANDLED = new Set([
  "at", "findLast", "hasOwn", // src/polyfills.js
  "Segmenter", // MapLibre's graphemes.ts asks `'Segmenter' in Intl` first
  "VideoFrame", // MapLibre's web worker asks for it only where a canvas is distorted on purpose
]);

/** Return what in a script Chromium 86 would not understand: syntax and names, one line each. */
export function checkFloor(text) {
  const faults = new Set();
  const tree = parse(text, { ecmaVersion: "latest", sourceType: "script", locations: true });
  walk(tree, (node) => {
    const fault = findSyntax(node) ?? findName(node);
    if (fault) faults.add(fault);
  });
  return [...faults];
}

function findSyntax(node) {
  if (node.type === "StaticBlock") return "class static block (Chromium 94)";
  if (node.type === "BinaryExpression" && node.left.type === "PrivateIdentifier") {
    return "#name in object (Chromium 91)";
  }
  if (node.type === "ImportAttribute") return "import attributes (Chromium 123)";
  if (node.type === "Literal" && node.regex && /[dv]/.test(node.regex.flags)) {
    return `regular expression flag in /${node.regex.pattern}/${node.regex.flags}`;
  }
  return null;
}

function findName(node) {
  if (node.type === "MemberExpression" && !node.computed) {
    const since = own(YOUNGER_MEMBERS, node.property.name);
    if (since > 86 && !HANDLED.has(node.property.name)) return `.${node.property.name} (Chromium ${since})`;
  }
  if (/^(Call|New)Expression$/.test(node.type) && node.callee.type === "Identifier") {
    const since = own(YOUNGER_GLOBALS, node.callee.name);
    if (since > 86 && !HANDLED.has(node.callee.name)) return `${node.callee.name} (Chromium ${since})`;
  }
  return null;
}

const own = (table, name) => (Object.prototype.hasOwnProperty.call(table, name) ? table[name] : 0);

function walk(node, visit) {
  visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((child) => child && child.type && walk(child, visit));
    else if (value && typeof value.type === "string") walk(value, visit);
  }
}
