// What this browser and its graphics can do.
const SOFTWARE = /SwiftShader|llvmpipe|Basic Render|Software/i;
const WIDE_PX = 2560;

/** Ask for WebGL2 once: null where there is none, else whether it is drawn by the processor. */
export function probeGraphics() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2");
  if (!gl) return null;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  const largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  const loose = gl.getExtension("WEBGL_lose_context");
  if (loose) loose.loseContext();
  return { software: SOFTWARE.test(String(renderer)), largest };
}

/** Return the pixel ratio to draw with: fewer pixels where the processor draws them. */
export function choosePixelRatio(graphics, asked, width) {
  if (asked) return asked;
  if (!graphics.software) return window.devicePixelRatio || 1;
  return width > WIDE_PX ? 0.5 : 0.75;
}

export function wantsCalm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
