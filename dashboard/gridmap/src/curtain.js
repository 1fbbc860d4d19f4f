// Where the processor draws, a half-finished frame of the first load costs a fifth of a second. Until the
// picture is whole it is drawn at a tenth of its size, out of sight, and then once in full.
const LONGEST_MS = 3000;
const SMALL = 0.1;
const CLASS = "gridmap-behind";

export class Curtain {
  /** Draw small and unseen at first where `wanted`; `pixelRatio` is the one to show. */
  constructor(map, { wanted, pixelRatio }) {
    this.map = map;
    this.down = wanted;
    this.pixelRatio = pixelRatio;
    if (!wanted) return;
    map.getContainer().classList.add(CLASS);
    map.setPixelRatio(SMALL);
  }

  /** Count from here, where the map knows what to draw: who waits longer wants to see what there is. */
  count() {
    if (this.down && !this.timer) this.timer = setTimeout(() => this.lift(), LONGEST_MS);
  }

  /** Show the map; returns whether that needs one more frame. */
  lift() {
    if (!this.down) return false;
    this.down = false;
    clearTimeout(this.timer);
    this.map.getContainer().classList.remove(CLASS);
    this.map.setPixelRatio(this.pixelRatio);
    this.map.triggerRepaint();
    return true;
  }

  /** Take another pixel ratio, now or when the curtain lifts. */
  show(pixelRatio) {
    this.pixelRatio = pixelRatio;
    if (!this.down) this.map.setPixelRatio(pixelRatio);
  }

  close() {
    clearTimeout(this.timer);
  }
}
