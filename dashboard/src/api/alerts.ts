import type { Client } from "./client.ts";
import type { Page, Value } from "./types.ts";

export type Severity = "info" | "warning" | "critical";
export type Condition = "above" | "below" | "rises" | "falls" | "silent" | "becomes";

/** What a rule raised. Not cleared is active. */
export interface Alert {
  id: string;
  rule: string;
  title: string;
  severity: Severity;
  device: string;
  metric: string;
  text: string;
  value: Value;
  raised_time: number;
  acknowledged_time: number | null;
  acknowledged_by: string | null;
  cleared_time: number | null;
  cleared_why: string | null;
}

export type Action =
  | { type: "webhook"; url: string; secret?: string | null; on_clear?: boolean }
  | { type: "mqtt"; topic: string; payload?: string | null; on_clear?: boolean }
  | { type: "clip"; camera: string; seconds?: number }
  | {
      type: "command";
      command: string;
      params?: Record<string, unknown>;
      device?: string | null;
    };

export interface Rule {
  id: string;
  title: string;
  source: string;
  condition: Condition;
  threshold: number | null;
  hysteresis: number;
  window: string;
  value: boolean | string;
  hold: string;
  clear_hold: string;
  severity: Severity;
  enabled: boolean;
  actions: Action[];
}

export interface StoredRule {
  id: string;
  version: number;
  updated_time: number;
  body: Rule;
}

export interface Preview {
  raised: number;
  items: { device: string; metric: string; raised: number }[];
  left_out: number;
}

export interface DesiredItem {
  command: string;
  params: Record<string, unknown>;
  state: "agreed" | "differs" | "waiting" | "failed";
  reported: Record<string, unknown> | null;
  time: number | null;
  error: string | null;
}

export interface Desired {
  device: string;
  version: number;
  updated_time: number | null;
  updated_by: string | null;
  agreed: boolean;
  agreed_time: number | null;
  items: DesiredItem[];
}

export type Wanted = Pick<DesiredItem, "command" | "params">;

const one = encodeURIComponent;

/** Alerts, rules and desired values over HTTP. Everything throws ApiError. */
export const alertsApi = (client: Client) => ({
  alerts: (query: { active?: string; cursor?: string | null; limit?: number }) =>
    client.get<Page<Alert>>("alerts", query),
  acknowledge: (id: string) => client.change<Alert>("POST", `alerts/${one(id)}/acknowledge`),
  rules: () => client.get<Page<StoredRule>>("rules"),
  /** Version 0: it must be new. */
  putRule: (rule: Rule, version: number) =>
    client.change<StoredRule>("PUT", `rules/${one(rule.id)}`, rule, version),
  deleteRule: (id: string, version: number) =>
    client.change<null>("DELETE", `rules/${one(id)}`, undefined, version),
  preview: (rule: Rule) => client.change<Preview>("POST", "rules/preview", rule),
  desired: (device: string) => client.get<Desired>(`devices/${one(device)}/desired`),
  putDesired: (device: string, commands: Wanted[], version: number) =>
    client.change<Desired>("PUT", `devices/${one(device)}/desired`, { commands }, version),
  cancel: (command: string) => client.change<null>("POST", `commands/${one(command)}/cancel`),
});
