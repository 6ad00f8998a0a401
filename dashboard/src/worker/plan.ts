/** Pure decisions of the service worker. */

const PREFIX = "outpost-";

export const cacheName = (build: string): string => `${PREFIX}${build}`;

/** The caches to keep, of names from the oldest on: this build's, and the one before, which open pages may still need. */
export function keptCaches(names: readonly string[], build: string): Set<string> {
  const mine = cacheName(build);
  const before = names.filter((name) => name.startsWith(PREFIX) && name !== mine).at(-1);
  const others = names.filter((name) => !name.startsWith(PREFIX));
  return new Set([mine, ...(before === undefined ? [] : [before]), ...others]);
}

/** Whether a path is the dashboard's own; the others are the hub's to answer, and none of them twice. */
export const isPage = (path: string): boolean =>
  !/^\/(api|claim|metrics|healthz|readyz|\.well-known)(\/|$)/.test(path);
