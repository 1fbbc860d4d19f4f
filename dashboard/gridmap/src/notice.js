// What went wrong, said on the map itself: a sentence over all of it, or a line above what still works.
import { fill } from "./format.js";

export class Notice {
  constructor(box, onRetry) {
    this.node = document.createElement("div");
    this.node.className = "gridmap-notice";
    this.node.setAttribute("role", "alert");
    this.node.hidden = true;
    box.appendChild(this.node);
    this.onRetry = onRetry;
  }

  /** Show a reason no layer can mend. */
  showFatal(reason, words, detail) {
    this.write("gridmap-notice gridmap-notice-whole", [words[reason] || reason, detail].filter(Boolean));
  }

  /** Show which layers are missing and why: `failures` are [title, reason]. */
  showFailures(failures, words) {
    if (failures.length === 0) {
      this.hide();
      return;
    }
    const parts = failures.map(([title, reason]) =>
      fill(words.layer_failed || "{title}: {reason}", { title, reason: sayReason(reason, words) }),
    );
    this.write("gridmap-notice", parts, words.retry);
  }

  hide() {
    this.node.hidden = true;
    this.key = null;
  }

  write(className, lines, retry) {
    const key = JSON.stringify([className, lines, retry]);
    if (key === this.key) return;
    this.key = key;
    this.node.className = className;
    this.node.textContent = "";
    for (const line of lines) {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      this.node.appendChild(paragraph);
    }
    if (retry) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = retry;
      button.addEventListener("click", this.onRetry);
      this.node.appendChild(button);
    }
    this.node.hidden = false;
  }
}

/** Return a reason such as `http-503` in words. */
export function sayReason(reason, words) {
  const http = /^http-(\d+)$/.exec(reason);
  if (!http) return words[`reason.${reason}`] || reason;
  const status = Number(http[1]);
  const name = status === 401 || status === 403 ? "denied" : status < 500 ? "missing" : "server";
  return fill(words[`reason.${name}`] || "{status}", { status });
}
