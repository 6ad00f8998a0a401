import type { CameraInfo, Device, HubInfo } from "../api/types.ts";

/** What a page last saw of the hub, for when it cannot be reached. */
export interface Seen {
  /** When (UTC ms). */
  time: number;
  info: HubInfo;
  devices: Device[];
  cameras: CameraInfo[];
}

const DATABASE = "outpost";
const STORE = "seen";
const KEY = "hub";
const FORMAT = 1;

/** What this browser keeps of the hub; one that keeps nothing forgets, and never fails. */
export class Memory {
  private readonly opened: Promise<IDBDatabase | null>;
  private database: IDBDatabase | null = null;

  constructor(factory: IDBFactory | undefined = globalThis.indexedDB) {
    this.opened = open(factory).then((database) => {
      this.database = database;
      return database;
    });
  }

  /** At once where the database is open: a page that is left has no time to wait. */
  keep(seen: Seen): void {
    if (this.database !== null) put(this.database, seen);
    else void this.opened.then((database) => database !== null && put(database, seen));
  }

  async recall(): Promise<Seen | null> {
    const database = await this.opened;
    if (database === null) return null;
    return new Promise((resolve) => {
      const request = database.transaction(STORE).objectStore(STORE).get(KEY);
      request.onsuccess = () => resolve((request.result as Seen | undefined) ?? null);
      request.onerror = () => resolve(null);
    });
  }

  /** Whoever is signed out leaves nothing behind. */
  async forget(): Promise<void> {
    const database = await this.opened;
    database?.transaction(STORE, "readwrite").objectStore(STORE).delete(KEY);
  }
}

function put(database: IDBDatabase, seen: Seen): void {
  try {
    const transaction = database.transaction(STORE, "readwrite");
    transaction.objectStore(STORE).put(seen, KEY);
    transaction.commit();
  } catch {
    // A disk that is full, or a database that was closed under the page: what was kept before stays.
  }
}

function open(factory: IDBFactory | undefined): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const opening = factory?.open(DATABASE, FORMAT);
      if (opening === undefined) return resolve(null);
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
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
