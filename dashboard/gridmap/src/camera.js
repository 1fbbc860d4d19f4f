// Where the map looks.
import { findBounds } from "./points.js";
import { wantsCalm } from "./support.js";

const MARGIN_PX = 24;
const GLIDE_MS = 200;
const CLOSEST_FIT = 17;
const ZOOM_BELOW_FIT = 2;

/** Return the margins of a fitted view: what the page's own panels cover, and a little air. */
function findMargins(covered) {
  const sides = ["left", "right", "top", "bottom"];
  return Object.fromEntries(sides.map((side) => [side, ((covered || {})[side] || 0) + MARGIN_PX]));
}

export class Camera {
  constructor(map, { software, find }) {
    this.map = map;
    this.bounds = null;
    this.covered = null;
    this.find = find;
    this.still = software;
  }

  /** Take the city's bounds: the first ones are also the first view, unless the page has its own. */
  frame({ bounds, covered, view }) {
    if (!bounds) return;
    const first = !this.bounds;
    this.bounds = bounds;
    this.covered = covered;
    this.map.setMinZoom(0);
    const fit = this.map.cameraForBounds(bounds, { padding: this.margins() });
    if (first && fit && !view) this.map.jumpTo(fit);
    if (fit) this.map.setMinZoom(Math.max(0, fit.zoom - ZOOM_BELOW_FIT));
  }

  /** Go to {center, zoom}, {bounds} or {uid}. */
  go(view) {
    if (!view) return;
    const bounds = view.bounds || this.boundsOf(view.uid);
    if (bounds) {
      this.map.fitBounds(bounds, { padding: this.margins(), maxZoom: CLOSEST_FIT, ...this.pace() });
    } else if (view.center) {
      const zoom = view.zoom === undefined ? this.map.getZoom() : view.zoom;
      this.map.easeTo({ center: view.center, zoom, ...this.pace() });
    }
  }

  /** Return the margins, given up where the panels leave no room for a map. */
  margins() {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const margins = findMargins(this.covered);
    const room = margins.left + margins.right < clientWidth / 2 &&
      margins.top + margins.bottom < clientHeight / 2;
    return room ? margins : findMargins(null);
  }

  reset() {
    if (this.bounds) this.go({ bounds: this.bounds });
  }

  zoom(step) {
    this.map.zoomTo(this.map.getZoom() + step, this.pace());
  }

  boundsOf(uid) {
    const feature = uid === undefined || uid === null ? null : this.find(uid);
    return feature && findBounds(feature);
  }

  /** Move within a blink, or at once where motion is unwanted or every frame is dear. */
  pace() {
    return this.still || wantsCalm() ? { duration: 0 } : { duration: GLIDE_MS };
  }

  /** Return what the page may keep of the view. */
  read() {
    const { lng, lat } = this.map.getCenter();
    const bounds = this.map.getBounds();
    const round = (value) => Math.round(value * 1e6) / 1e6;
    return {
      center: [round(lng), round(lat)],
      zoom: Math.round(this.map.getZoom() * 1000) / 1000,
      bounds: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(round),
    };
  }
}
