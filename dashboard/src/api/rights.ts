import type { Client } from "./client.ts";
import type { Page, Role } from "./types.ts";

export interface User {
  name: string;
  role: Role;
  created_time: number;
  last_login_time: number | null;
}

/** `device`: reads what is about itself; people do not have it. */
export type TokenRole = Role | "device";

/** What a token is for: ids or patterns of devices and cameras, and tags; neither: everything. */
export interface Scope {
  devices: string[];
  tags: string[];
}

export interface Token extends Scope {
  name: string;
  role: TokenRole;
  created_time: number;
  last_used_time: number | null;
}

/** A browser that is logged in; `current` is this one. */
export interface OpenSession {
  id: string;
  name: string;
  role: Role;
  created_time: number;
  last_used_time: number;
  user_agent: string;
  current: boolean;
}

export interface SecurityEvent {
  time: number;
  kind: string;
  actor: string;
  address: string;
  detail: string;
}

export interface NewToken extends Scope {
  name: string;
  role: TokenRole;
  token: string;
}

const one = encodeURIComponent;

/** Users, tokens, sessions and the security log over HTTP. Everything throws ApiError. */
export const rightsApi = (client: Client) => ({
  users: () => client.get<Page<User>>("users"),
  makeUser: (user: { name: string; role: Role; password: string }) =>
    client.change<User>("POST", "users", user),
  changeUser: (name: string, change: { role?: Role; password?: string }) =>
    client.change<null>("PATCH", `users/${one(name)}`, change),
  removeUser: (name: string) => client.change<null>("DELETE", `users/${one(name)}`),
  tokens: () => client.get<Page<Token>>("tokens"),
  makeToken: (token: { name: string; role: TokenRole } & Partial<Scope>) =>
    client.change<NewToken>("POST", "tokens", token),
  revokeToken: (name: string) => client.change<null>("DELETE", `tokens/${one(name)}`),
  sessions: () => client.get<Page<OpenSession>>("sessions"),
  endSession: (id: string) => client.change<null>("DELETE", `sessions/${one(id)}`),
  logOut: () => client.logOut(),
  changePassword: (passwords: { old: string; new: string }) =>
    client.change<null>("POST", "session/password", passwords),
  events: (query: { kind?: string | null; cursor?: string | null; limit?: number }) =>
    client.get<Page<SecurityEvent>>("security/events", query),
});

export type RightsApi = ReturnType<typeof rightsApi>;
