import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { ApiError, type Client } from "../api/client.ts";
import {
  type OpenSession,
  type RightsApi,
  rightsApi,
  type SecurityEvent,
  type Token,
  type TokenRole,
  type User,
} from "../api/rights.ts";
import type { Page, Role } from "../api/types.ts";
import { rightsText } from "../text/catalogue.ts";
import type { Kept } from "./keeping.ts";

export const ROLES: readonly Role[] = ["viewer", "operator", "admin"];
export const TOKEN_ROLES: readonly TokenRole[] = [...ROLES, "device"];

/** `pico-*, front` → its names: none of them has a space or a comma. */
export const names = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== "");

/** Where a refusal of one of several names belongs: `devices[2]` → `devices`. */
const fieldOf = (parameter: string): string => parameter.replace(/\[.*$/, "");

/** A list as the hub pages it. `items` is null until it came for the first time. */
export interface Listing<Item> {
  items: ReadonlySignal<Item[] | null>;
  next: ReadonlySignal<string | null>;
  failed: ReadonlySignal<string>;
  /** Reads it anew, or with a cursor goes on with older ones. Never throws: `failed` tells why. */
  load: (cursor?: string | null) => Promise<void>;
}

/** A list that is read by `ask`. An answer that another question overtook is dropped. */
export function listing<Item>(ask: (cursor: string | null) => Promise<Page<Item>>): Listing<Item> {
  const items = signal<Item[] | null>(null);
  const next = signal<string | null>(null);
  const failed = signal("");
  let turn = 0;
  const load = async (cursor: string | null = null) => {
    turn += 1;
    const mine = turn;
    try {
      const page = await ask(cursor);
      if (mine !== turn) return;
      items.value = cursor === null ? page.items : [...(items.peek() ?? []), ...page.items];
      next.value = page.next;
      failed.value = "";
    } catch (error) {
      if (mine === turn) failed.value = words(error);
    }
  };
  return { items, next, failed, load };
}

/** How the name of a wall display's token begins; the hub lets no other into a browser. */
export const WALL_PREFIX = "wall-";
const isWall = (token: Token): boolean =>
  token.role === "viewer" && token.name.startsWith(WALL_PREFIX);

const only = (tokens: Listing<Token>, fits: (token: Token) => boolean): Listing<Token> => ({
  ...tokens,
  items: computed(() => tokens.items.value?.filter(fits) ?? null),
});

/** Of the tokens those of wall displays, and those of programs. */
export const wallsOf = (tokens: Listing<Token>) => only(tokens, isWall);
export const programsOf = (tokens: Listing<Token>) => only(tokens, (token) => !isWall(token));

export const words = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Where a refusal belongs: at one of the form's fields, or at its end (the empty name). */
export function refusalAt(error: unknown, fields: readonly string[]): Record<string, string> {
  const named = error instanceof ApiError ? fieldOf(error.parameter ?? "") : "";
  return { [fields.includes(named) ? named : ""]: words(error) };
}

/** `eva` of `user:eva`; programs keep what tells them apart: `token:grafana`. */
export const person = (actor: string): string => actor.replace(/^user:/, "");

// The order counts: most browsers also claim to be others.
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bSamsungBrowser\/(\d+)/, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/\b(?:Headless)?(?:Chrome|CriOS|Chromium)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+)\S* (?:Mobile\/\S+ )?Safari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/Macintosh/, "Mac"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** `Firefox 140 on Linux`: what a User-Agent header says, as far as it is known. */
export function browserName(agent: string): string {
  const found = BROWSERS.map(([pattern, name]) => {
    const version = pattern.exec(agent)?.[1];
    return version === undefined ? null : `${name} ${version}`;
  }).find((name) => name !== null);
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = found ?? (agent.split(/[\s(]/, 1)[0] || rightsText.browser.unknown);
  return system === undefined ? browser : rightsText.browser.on(browser, system);
}

const EVENTS = 50;

/** Who has access, and what was done: what the sections of Settings share. */
export interface Rights {
  api: RightsApi;
  users: Listing<User>;
  tokens: Listing<Token>;
  sessions: Listing<OpenSession>;
  /** The kind of event that the log shows; empty: all. */
  kind: Signal<string>;
  events: Listing<SecurityEvent>;
  /** The rules of retention, as a list of one. */
  kept: Listing<Kept>;
  /** Reads all that the role may see; never throws. */
  load: () => Promise<void>;
}

/** Rights as somebody with `role` sees them: the lists of others are never asked for below admin. */
export function rightsOf(client: Client, role: Role): Rights {
  const api = rightsApi(client);
  const kind = signal("");
  const users = listing(() => api.users());
  const tokens = listing(() => api.tokens());
  const sessions = listing(() => api.sessions());
  const events = listing((cursor) =>
    api.events({ kind: kind.peek() || null, cursor, limit: EVENTS }),
  );
  const kept = listing(async () => {
    const rules = await client.get<Kept>("retention/rules");
    return { items: [rules], next: null };
  });
  const seen = role === "admin" ? [users, tokens, sessions, events, kept] : [sessions];
  const load = async () => {
    await Promise.all(seen.map((list) => list.load()));
  };
  return { api, users, tokens, sessions, kind, events, kept, load };
}
