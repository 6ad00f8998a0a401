import type { Doubt } from "./window.ts";

/** What this browser keeps, by its stores: what was last seen of the hub, and of the history that charts showed. */
export const SEEN = "seen";
export const PAST = "past";
/** An index of `PAST`: when each was seen, and how many bytes it takes, so that the oldest are found unread. */
export const PAST_BY_AGE = "age";

/** One of `PAST`: a metric's window as it was last seen. One is kept of each metric and width of buckets. */
export interface KeptWindow {
  /** `device/metric`. */
  metric: string;
  bucketMs: number;
  spanMs: number;
  /** When it was seen, UTC ms of the hub. */
  time: number;
  bytes: number;
  /** Time, min, max and mean of each bucket in turn. */
  buckets: Float64Array;
  doubts: [number, Doubt][];
}

const DATABASE = "outpost";
/** 2 came with `PAST`. */
const FORMAT = 2;

/** The page's database; null where the browser keeps nothing. */
export function openDatabase(factory: IDBFactory | undefined): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const opening = factory?.open(DATABASE, FORMAT);
      if (opening === undefined) return resolve(null);
      opening.onupgradeneeded = ({ oldVersion }) => {
        const database = opening.result;
        if (oldVersion < 1) database.createObjectStore(SEEN);
        const past = database.createObjectStore(PAST, { keyPath: ["metric", "bucketMs"] });
        past.createIndex(PAST_BY_AGE, ["time", "bytes"]);
      };
      opening.onerror = () => resolve(null);
      opening.onblocked = () => resolve(null);
      opening.onsuccess = () => {
        const database = opening.result;
        database.onversionchange = () => database.close();
        resolve(database);
      };
    } catch {
      resolve(null);
    }
  });
}

/** What a request finds; null where it fails. */
export const found = <Found>(request: IDBRequest<Found>): Promise<Found | null> =>
  new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result ?? null);
    request.onerror = () => resolve(null);
  });
