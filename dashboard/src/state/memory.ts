import type { CameraInfo, Device, HubInfo } from "../api/types.ts";
import { found, type KeptWindow, openDatabase, PAST, PAST_BY_AGE, SEEN } from "./database.ts";

/** What a page last saw of the hub, for when it cannot be reached. */
export interface Seen {
  /** When (UTC ms). */
  time: number;
  info: HubInfo;
  devices: Device[];
  cameras: CameraInfo[];
}

const KEY = "hub";
const OWNER = "owner";
/** Of history; a window takes 30 kB at most. */
const MOST_BYTES = 8 * 2 ** 20;

/** What this browser keeps of the hub; one that keeps nothing forgets, and never fails. */
export class Memory {
  private readonly opened: Promise<IDBDatabase | null>;
  private database: IDBDatabase | null = null;

  constructor(factory: IDBFactory | undefined = globalThis.indexedDB) {
    this.opened = openDatabase(factory).then((database) => {
      this.database = database;
      return database;
    });
  }

  /** At once where the database is open: a page that is left has no time to wait. */
  keep(seen: Seen, past: readonly KeptWindow[]): void {
    if (this.database !== null) put(this.database, seen, past);
    else void this.opened.then((database) => database !== null && put(database, seen, past));
  }

  async recall(): Promise<Seen | null> {
    const database = await this.opened;
    if (database === null) return null;
    return found<Seen>(database.transaction(SEEN).objectStore(SEEN).get(KEY));
  }

  /** The windows that were kept of each metric, in the order of `metrics` (their keys). */
  async recallPast(metrics: readonly string[]): Promise<KeptWindow[][]> {
    const database = await this.opened;
    if (database === null) return metrics.map(() => []);
    const past = database.transaction(PAST).objectStore(PAST);
    const each = metrics.map((metric) =>
      found<KeptWindow[]>(past.getAll(IDBKeyRange.bound([metric], [metric, []]))),
    );
    return (await Promise.all(each)).map((kept) => kept ?? []);
  }

  /** Drop the oldest history beyond `mostBytes`. */
  async prune(mostBytes = MOST_BYTES): Promise<void> {
    const database = await this.opened;
    if (database === null) return;
    const past = database.transaction(PAST, "readwrite").objectStore(PAST);
    const request = past.index(PAST_BY_AGE).openKeyCursor(null, "prev");
    let bytes = 0;
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return;
      bytes += (cursor.key as [number, number])[1];
      if (bytes > mostBytes) past.delete(cursor.primaryKey);
      cursor.continue();
    };
  }

  /** What is kept is this user's: what another has left is forgotten. */
  async belongTo(user: string): Promise<void> {
    const database = await this.opened;
    if (database === null) return;
    const stores = database.transaction([SEEN, PAST], "readwrite");
    const seen = stores.objectStore(SEEN);
    const request = seen.get(OWNER);
    request.onsuccess = () => {
      if (request.result === user) return;
      seen.clear();
      stores.objectStore(PAST).clear();
      seen.put(user, OWNER);
    };
  }

  /** Whoever is signed out leaves nothing behind. */
  async forget(): Promise<void> {
    const database = await this.opened;
    const stores = database?.transaction([SEEN, PAST], "readwrite");
    stores?.objectStore(SEEN).clear();
    stores?.objectStore(PAST).clear();
  }
}

function put(database: IDBDatabase, seen: Seen, past: readonly KeptWindow[]): void {
  try {
    const stores = database.transaction([SEEN, PAST], "readwrite");
    stores.objectStore(SEEN).put(seen, KEY);
    for (const window of past) stores.objectStore(PAST).put(window);
    stores.commit();
  } catch {
    // A disk that is full, or a database that was closed under the page: what was kept before stays.
  }
}
