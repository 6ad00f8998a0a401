import type { Client } from "../api/client.ts";

/** Where a wall display's link leads; the token stands behind the `#`, which no browser sends. */
export const wallLink = (origin: string, token: string): string => `${origin}/wall#${token}`;

/**
 * The token of a wall display's link, taken out of the address bar and of its history; null where there is none.
 * Call before anything else reads the address.
 */
export function takeWallToken(at: Location, history: History): string | null {
  const token = at.hash.slice(1);
  if (at.pathname !== "/wall" || token === "") return null;
  history.replaceState(null, "", "/wall");
  return token;
}

/** Let this browser in as a wall display. Throws ApiError where the hub does not take the token. */
export async function hangUp(client: Client, token: string): Promise<void> {
  await client.change("POST", "session/wall", undefined, undefined, {
    authorization: `Bearer ${token.trim()}`,
  });
}

/** The largest zoom from `least` to `most` at which everything fits, in tenths; `least` where nothing does. */
export function fitting(fits: (zoom: number) => boolean, least: number, most: number): number {
  let low = Math.round(least * 10);
  let high = Math.round(most * 10);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle / 10)) low = middle;
    else high = middle - 1;
  }
  return low / 10;
}
