/** Where a session begins the page is loaded with this behind its address, which no browser sends. */
const MARK = "#in";

/** Begin the page anew with the session that was just begun. */
export function enter(at: Location, history: History): void {
  history.replaceState(null, "", at.pathname + MARK);
  at.reload();
}

/** Whether a session has just begun; the mark is taken out of the address bar. Call before anything else reads it. */
export function takeEntered(at: Location, history: History): boolean {
  if (at.hash !== MARK) return false;
  history.replaceState(null, "", at.pathname);
  return true;
}
