// <html data-map>: the one promise about all maps of a page that tests and wall watchdogs wait on.
// A map still at work is not yet a failed one, unless it can never finish.
const RANK = { idle: 0, failed: 1, loading: 2 };
const FATAL = 3;
const maps = new Map();

/** Say how one map stands; the page shows the worst of its maps. */
export function reportState(key, state) {
  maps.set(key, state);
  write();
}

export function forgetState(key) {
  maps.delete(key);
  write();
}

function write() {
  const root = document.documentElement;
  const all = [...maps.values()];
  if (all.length === 0) {
    root.setAttribute("data-map", "none");
    root.removeAttribute("data-reason");
    root.removeAttribute("data-revision");
    return;
  }
  const worst = all.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  root.setAttribute("data-map", worst.state);
  if (worst.reason) root.setAttribute("data-reason", worst.reason);
  else root.removeAttribute("data-reason");
  const revisions = all.map((one) => one.revision).filter((one) => one !== null);
  if (revisions.length > 0) root.setAttribute("data-revision", String(Math.min(...revisions)));
  else root.removeAttribute("data-revision");
}

function rank(map) {
  return map.fatal ? FATAL : RANK[map.state];
}
