// The map's own colours, per theme, and how a descriptor's colour is read. Tokens as on the pages.
export const THEMES = {
  dark: {
    ground: "#0b1220",
    panel: "#121b2e",
    line: "#24324d",
    text: "#e8eef9",
    quiet: "#9fb0cc",
    accent: "#4cc2ff",
    water: "#10304a",
    waterLine: "#17405f",
    waterName: "#5f93b8",
    green: "#12291f",
    building: "#1a2740",
    buildingEdge: "#2b3b59",
    roadCasing: "#0b1220",
    roads: { major: "#5a6f95", middle: "#44577a", minor: "#33435f", path: "#2b3a55" },
    roadOpacity: 0.75,
    roadName: "#a9b8d2",
    halo: "rgba(8,13,24,0.88)",
    hatch: "rgba(232,238,249,0.34)",
    hover: "#ffffff",
    outline: "#c3d0e6",
    zero: "#17223a",
    nodata: "#454f63",
    gridLine: "rgba(8,13,24,0.75)",
  },
  light: {
    ground: "#f6f7f9",
    panel: "#ffffff",
    line: "#d9dee7",
    text: "#1b2430",
    quiet: "#586579",
    accent: "#0b6bcb",
    water: "#c3dbee",
    waterLine: "#a9cae4",
    waterName: "#3f77a3",
    green: "#d7e9d3",
    building: "#e4e7ec",
    buildingEdge: "#c9cfd9",
    roadCasing: "#c4ccd8",
    roads: { major: "#fffdf6", middle: "#ffffff", minor: "#ffffff", path: "#e9edf2" },
    roadOpacity: 0.9,
    roadName: "#4a5668",
    halo: "rgba(255,255,255,0.92)",
    hatch: "rgba(27,36,48,0.36)",
    hover: "#1b2430",
    outline: "#45536a",
    zero: "#eceff3",
    nodata: "#b9c0ca",
    gridLine: "rgba(60,74,94,0.5)",
  },
};

/** Return a descriptor's value for a theme: plain for both, or one of {dark, light}. */
export function pick(value, theme, otherwise) {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "object" && !Array.isArray(value)) {
    return theme in value ? value[theme] : otherwise;
  }
  return value;
}

/** Return the font list MapLibre draws labels with; every one is local to the page or the machine. */
export function textFont(scene, strong = false) {
  // MapLibre reads the weight from the first name: a name that nothing answers to, on purpose.
  return strong ? ["Getu Bold", ...scene.fonts] : scene.fonts;
}
