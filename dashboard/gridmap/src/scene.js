// The props that every drawing asks about, with their defaults, read once per change.
const FONTS = ["Getu Sans", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC"];

export function readScene(props) {
  const basePath = props.basePath || "/";
  return {
    basePath: basePath.endsWith("/") ? basePath : `${basePath}/`,
    filter: String(props.filter || "").replace(/^[?&]+/, ""),
    revision: props.revision === undefined ? null : props.revision,
    theme: props.theme === "light" ? "light" : "dark",
    lang: props.lang === "en" ? "en" : "zh",
    scale: props.scale || 1,
    fonts: props.fonts && props.fonts.length > 0 ? props.fonts : FONTS,
    words: props.words || {},
    values: props.values || {},
  };
}
