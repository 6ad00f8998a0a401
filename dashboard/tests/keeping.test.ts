import { expect, test } from "vitest";
import type { MetricRetention } from "../src/api/types.ts";
import { inWords, type KeepRules, raised, sent, thinning } from "../src/state/keeping.ts";

const rules: KeepRules = {
  raw: "90d",
  "10s": "none",
  "1m": "forever",
  "1h": "forever",
  "1d": " 10y ",
  size: "",
  rule: [{ device: "*", metric: "v*", tag: null, raw: "7d", "10s": "", deadband: 0.2 }],
};

test("what is empty is not said, and what the form does not know goes through it", () => {
  expect(sent(rules)).toEqual({
    raw: "90d",
    "10s": "none",
    "1m": "forever",
    "1h": "forever",
    "1d": "10y",
    rule: [{ device: "*", metric: "v*", raw: "7d", deadband: 0.2 }],
  });
  expect(thinning(rules.rule[0] ?? {})).toBe("deadband 0.2");
  expect(thinning({ deadband: null })).toBe("");
});

const metric = (name: string, samples: number, bytes: number) =>
  ({
    device: "d",
    metric: name,
    bytes,
    now: { samples, bytes },
    week: { samples: samples * 2, bytes: bytes * 2 },
  }) as MetricRetention;

test("what would go is told in sum, and where most of it is", () => {
  const found = { over_bytes: 0, size_bytes: null };
  const items = [metric("a", 10, 1000), metric("b", 0, 0), metric("c", 2000, 9000)];
  const said = inWords({ ...found, items });
  expect(said.now).toBe("2,010 samples (10.0 kB)");
  expect(said.most).toBe("d/c 2,000, d/a 10");
  expect(inWords({ ...found, items: [] }).now).toBe("nothing");
});

test("a rule moves up by one, the first stays", () => {
  const [a, b] = [{ metric: "a" }, { metric: "b" }];
  expect(raised([a, b], 1)).toEqual([b, a]);
  expect(raised([a, b], 0)).toEqual([a, b]);
});
