import type { Client } from "./client.ts";
import type { Page } from "./types.ts";

/** A recording; `length_ms` is null while it runs, and where the power went before its end. */
export interface Recording {
  id: string;
  camera: string;
  state: "running" | "kept";
  time: number;
  length_ms: number | null;
  size_bytes: number;
  reason: string;
  /** Whose alert it was. */
  rule: string | null;
}

const one = encodeURIComponent;

/** A camera's recordings over HTTP. Everything throws ApiError. */
export function recordingsApi(client: Client, camera: string) {
  const all = `cameras/${one(camera)}/recordings`;
  return {
    list: () => client.get<Page<Recording>>(all),
    begin: () => client.change<Recording>("POST", all, {}),
    stop: (id: string) => client.change<null>("POST", `${all}/${one(id)}/stop`),
    remove: (id: string) => client.change<null>("DELETE", `${all}/${one(id)}`),
    /** Where the file is had, in parts too. */
    url: (id: string) => `/api/v1/${all}/${one(id)}`,
  };
}

/** A film of snapshots; `until` is about when its last picture was taken. */
export interface Timelapse extends Omit<Recording, "reason" | "rule"> {
  until: number;
}

/** A camera's timelapses over HTTP. Everything throws ApiError. */
export function timelapsesApi(client: Client, camera: string) {
  const all = `cameras/${one(camera)}/timelapses`;
  return {
    list: () => client.get<Page<Timelapse>>(all),
    remove: (id: string) => client.change<null>("DELETE", `${all}/${one(id)}`),
    /** Where the film is had, in parts too. */
    url: (id: string) => `/api/v1/${all}/${one(id)}`,
  };
}
