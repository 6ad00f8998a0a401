import type { Client } from "./client.ts";
import type { Page, Value } from "./types.ts";

export type Standing = "pending" | "accepted" | "rejected" | "refused" | "unknown";

/** How a board stands, or what says that it is one. */
export interface Enrolment {
  device: string;
  state: Standing;
  key: "none" | "offered" | "kept";
  /** Of what waits or is refused: whether it is there now. */
  online: boolean;
  place: string | null;
  reason: string | null;
  since: number | null;
  by: string | null;
  name: string;
  model: string;
  firmware: string;
  metrics: string[];
  latest: Record<string, Value>;
  readings_kept: number;
  readings_left: number;
}

/** An admin's word on boards. Throws ApiError. */
export function enrolmentsApi(client: Client) {
  const at = (device: string) => `enrolments/${encodeURIComponent(device)}`;
  return {
    all: async () => (await client.get<Page<Enrolment>>("enrolments")).items,
    accept: (device: string) => client.change<Enrolment>("POST", `${at(device)}/accept`),
    reject: (device: string) => client.change<Enrolment>("POST", `${at(device)}/reject`),
    forget: (device: string) => client.change<null>("DELETE", at(device)),
  };
}
