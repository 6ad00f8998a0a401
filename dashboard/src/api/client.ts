import type {
  CameraInfo,
  CommandRecord,
  Device,
  History,
  HubInfo,
  LinkInfo,
  LogLine,
  Page,
  RetentionInfo,
  SessionInfo,
} from "./types.ts";

/** The hub answered with an error, or not at all (`status` 0). The message is the hub's own, for people. */
export class ApiError extends Error {
  readonly status: number;
  /** Which field or parameter was refused, where the hub names one. */
  readonly parameter: string | null;

  constructor(status: number, message: string, parameter: string | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.parameter = parameter;
  }
}

type Fetch = typeof fetch;

const PAGE = 5000;

/** Everything that the dashboard asks the hub over plain HTTP. Throws ApiError. */
export class Client {
  private readonly fetch: Fetch;
  private readonly onSignedOut: () => void;

  constructor(onSignedOut: () => void, fetchWith: Fetch = (...args) => fetch(...args)) {
    this.fetch = fetchWith;
    this.onSignedOut = onSignedOut;
  }

  session = (): Promise<SessionInfo> => this.get("session");
  hub = (): Promise<HubInfo> => this.get("hub");
  retention = (): Promise<RetentionInfo> => this.get("retention");

  device = (id: string): Promise<Device> => this.get(`devices/${encodeURIComponent(id)}`);

  /** Take a device that is gone off the hub's list. */
  removeDevice = (id: string) =>
    this.change<unknown>("DELETE", `devices/${encodeURIComponent(id)}`);

  /** Every device; follows the pages. */
  async devices(): Promise<Device[]> {
    const all: Device[] = [];
    let next: string | null = null;
    do {
      const page: Page<Device> = await this.get("devices", { cursor: next });
      all.push(...page.items);
      next = page.next;
    } while (next);
    return all;
  }

  async cameras(): Promise<CameraInfo[]> {
    return (await this.get<Page<CameraInfo>>("cameras")).items;
  }

  commands = (query: { device?: string; cursor?: string | null; limit?: number }) =>
    this.get<Page<CommandRecord>>("commands", query);

  async console(device: string): Promise<LogLine[]> {
    return (await this.get<Page<LogLine>>(`devices/${encodeURIComponent(device)}/console`)).items;
  }

  link(device: string): Promise<LinkInfo> {
    return this.get<LinkInfo>(`devices/${encodeURIComponent(device)}/link`);
  }

  /** At most `points` buckets of metrics (DEVICE/METRIC) on one grid: time, then min, max, mean, count of each. */
  grid = (metric: string[], from: number, to: number, points: number) =>
    this.get<History>("samples", { metric, from, to, points });

  /** On the same grid the buckets with samples that are not good: time, then each metric's worst quality or null. */
  doubts = (metric: string[], from: number, to: number, points: number) =>
    this.get<History>("samples", { metric, from, to, points, agg: "quality" });

  /** Samples of a metric between two times, oldest first: time, value, quality. Stops after `limit`. */
  async raw(
    device: string,
    metric: string,
    from: number,
    to: number,
    limit: number,
  ): Promise<History["rows"]> {
    const rows: History["rows"] = [];
    let cursor: string | null = null;
    do {
      const query = { device, metric, from, to, limit: PAGE, cursor };
      const page: History = await this.get("samples", query);
      rows.push(...page.rows);
      cursor = page.next;
    } while (cursor && rows.length < limit);
    return rows;
  }

  /** The hub's own counters, in Prometheus' text format. */
  async health(): Promise<string> {
    return (await this.ask("/metrics", "text/plain")).text();
  }

  /** Begin a session by name and password; the browser keeps its cookie. */
  async logIn(name: string, password: string): Promise<void> {
    let response: Response;
    try {
      response = await this.fetch("/api/v1/session", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, password }),
      });
    } catch {
      throw new ApiError(0, "the hub cannot be reached");
    }
    if (!response.ok) throw new ApiError(response.status, await problem(response));
  }

  /** End this browser's session: nothing more is asked, and what was kept is forgotten. */
  async logOut(): Promise<void> {
    await this.change("DELETE", "session");
    this.onSignedOut();
  }

  async get<Body>(
    path: string,
    query: Record<string, string | number | string[] | null | undefined> = {},
  ): Promise<Body> {
    const params = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value ?? null]) {
        if (one !== null) params.append(key, String(one));
      }
    }
    const search = params.size > 0 ? `?${params}` : "";
    const response = await this.ask(`/api/v1/${path}${search}`, "application/json");
    try {
      return (await response.json()) as Body;
    } catch {
      throw new ApiError(response.status, "the hub's answer was cut short");
    }
  }

  /** Change something; with a `version` only where it is at that one (0: where it is new). */
  async change<Body>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    version?: number,
    more: Record<string, string> = {},
  ): Promise<Body> {
    const headers: Record<string, string> = { accept: "application/json", ...more };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (version !== undefined) headers["if-match"] = `"${version}"`;
    const request: RequestInit = { method, headers };
    if (body !== undefined) request.body = JSON.stringify(body);
    let response: Response;
    try {
      response = await this.fetch(`/api/v1/${path}`, request);
    } catch {
      throw new ApiError(0, "the hub cannot be reached");
    }
    if (response.status === 401) this.onSignedOut();
    if (!response.ok) throw await refusal(response);
    const text = await response.text();
    return (text === "" ? null : JSON.parse(text)) as Body;
  }

  private async ask(url: string, accept: string): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(url, { headers: { accept }, cache: "no-store" });
    } catch {
      throw new ApiError(0, "the hub cannot be reached");
    }
    if (response.ok) return response;
    if (response.status === 401) this.onSignedOut();
    throw new ApiError(response.status, await problem(response));
  }
}

/** The words of a problem document (RFC 9457), or the status line where there is none. */
export const problem = async (response: Response): Promise<string> =>
  (await refusal(response)).message;

async function refusal(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as {
      detail?: string;
      title?: string;
      parameter?: string;
    };
    const words = body.detail ?? body.title;
    if (words) return new ApiError(response.status, words, body.parameter ?? null);
  } catch {
    // Not a problem document: a proxy's page, perhaps.
  }
  return new ApiError(response.status, `${response.status} ${response.statusText}`.trim());
}
