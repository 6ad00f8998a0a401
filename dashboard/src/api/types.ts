/** The API's values as the hub sends them. Times are UTC milliseconds. */

export type Value = number | boolean | string | null;
export type Quality = "good" | "uncertain" | "bad";
export type Kind = "number" | "boolean" | "text" | "enum";
export type Role = "viewer" | "operator" | "admin";

export interface Sample {
  value: Value;
  quality: Quality;
  source_time: number;
  hub_time: number;
}

export interface Metric {
  name: string;
  title: string;
  unit: string;
  kind: Kind;
  options?: string[];
  interval_ms: number | null;
  decimals: number | null;
  last: Sample | null;
}

/** The part of JSON Schema (draft 2020-12) that command forms understand. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  unit?: string;
  /** Of a command's parameters: ask before it is sent; a text is the question. */
  "x-confirm"?: boolean | string;
  /** Of a command's parameters: what it sets lasts, and may be desired. */
  "x-desired"?: boolean;
}

export interface CommandType {
  name: string;
  title: string;
  params: Schema;
}

export interface Device {
  id: string;
  name: string;
  model: string;
  firmware: string;
  link: string;
  online: boolean;
  reason: string | null;
  last_seen: number;
  boot_id: string | null;
  /** Of a board: whether it has proved its key; null where nobody is asked for one. */
  key?: "proven" | "none" | null;
  /** How much it keeps for a hub that is away; null where it does not say. */
  outbox_bytes?: number | null;
  /** What an operator should know of it now; "" is: nothing. */
  notice?: string;
  /** Words of the hub's configuration, by which devices are grouped. */
  tags?: string[];
  metrics: Metric[];
  commands: CommandType[];
}

export type CommandState =
  | "queued"
  | "sent"
  | "succeeded"
  | "failed"
  | "timed_out"
  | "expired"
  | "cancelled";

export interface CommandResult {
  id: string;
  device: string;
  command: string;
  state: CommandState;
  time: number;
  result: unknown;
  error: string | null;
  /** Of a command that the device has and tells of: live only. */
  progress?: { percent: number | null; text: string } | null;
}

/** What firmware the hub has for a device, beside what it runs. */
export interface FirmwareOffer {
  device: string;
  firmware: string;
  version: string;
  newer: boolean;
  /** Whether it takes updates over its link; else `reason` says why not. */
  possible: boolean;
  reason: string;
}

/** A line of the audit trail. What the live stream tells lacks who asked and with what. */
export interface CommandRecord extends CommandResult {
  params?: Record<string, unknown>;
  ttl_ms?: number;
  caller?: string;
  origin?: string;
  created_time?: number;
  /** When each state was reached. */
  times?: Record<string, number>;
}

export interface LogLine {
  device: string;
  time_ms: number;
  text: string;
  level: string;
}

export interface LinkInfo {
  device: string;
  link: string;
  link_name: string | null;
  figures: Record<string, number>;
  verdict: LinkVerdict;
  /** Newest last. */
  restarts: { time: number; cause: string }[];
}

export type LinkCause = "good" | "cable" | "board" | "hub" | "unknown";

/** What is wrong with a link, in the hub's words; the gravest finding first. */
export interface LinkVerdict {
  cause: LinkCause;
  text: string;
  remedy: string;
  span_ms: number;
  findings: { cause: LinkCause; text: string; remedy: string }[];
}

export interface CameraInfo {
  id: string;
  name: string;
  state: string;
  error: string | null;
  viewers: number;
  encoders: number;
}

/** The store's size and wear; null: not known, or too early to tell. */
export interface StoreInfo {
  file_bytes: number;
  queue_readings: number;
  sealed_bytes_per_sample: number | null;
  written_bytes_per_day: number | null;
  card_years: number | null;
  compression: number | null;
  commit_p50_ms: number | null;
  commit_p99_ms: number | null;
  /** Sealed samples by device, the largest first. */
  devices: { device: string; samples: number; bytes: number }[];
}

export interface HubInfo {
  name: string;
  version: string;
  time: number;
  /** Where the hub is: an IANA name. */
  time_zone: string;
  epoch: string;
  health: {
    /** Why samples cannot be committed now; null when they can. */
    store_degraded: string | null;
    store: StoreInfo;
    devices: number;
    devices_online: number;
    streams: number;
    viewers: number;
  };
}

export interface SessionInfo {
  name: string;
  role: Role;
}

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export interface History {
  device: string;
  metric: string;
  unit: string;
  columns: string[];
  rows: Value[][];
  next: string | null;
}

/** One sample on the live stream: device, metric, source_time_ms, value, quality. */
export type LiveSample = [string, string, number, Value, Quality];

export interface Amount {
  samples: number;
  bytes: number;
}

/** How long what stays, in seconds; null: for ever, 0: not stored. */
export type Ages = Record<"raw" | "10s" | "1m" | "1h" | "1d", number | null>;

export interface MetricRetention {
  device: string;
  metric: string;
  tags: string[];
  samples: number;
  bytes: number;
  oldest: number | null;
  keep: Ages;
  now: Amount;
  week: Amount;
}

/** What the store holds of each metric, and what goes. */
export interface RetentionInfo {
  time: number;
  hold: string | null;
  grace_until: number | null;
  over_budget: boolean;
  deleted_rows: number;
  used_bytes: number;
  free_bytes: number;
  size_bytes: number | null;
  items: MetricRetention[];
  tiers: { tier: string; bytes: number; oldest: number | null }[];
}
