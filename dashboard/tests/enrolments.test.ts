import { describe, expect, it } from "vitest";
import { Client } from "../src/api/client.ts";
import type { Enrolment, Standing } from "../src/api/enrolments.ts";
import { Enrolments } from "../src/state/enrolments.ts";

function board(device: string, state: Standing, since = 0): Enrolment {
  return {
    device,
    state,
    key: "none",
    online: true,
    place: "/dev/ttyACM0",
    reason: null,
    since,
    by: null,
    name: device,
    model: "",
    firmware: "",
    metrics: [],
    latest: {},
    readings_kept: 0,
    readings_left: 0,
  };
}

/** A client whose answers the test gives when it likes. */
function asked() {
  const answers: ((items: Enrolment[]) => void)[] = [];
  const client = new Client(
    () => {},
    () =>
      new Promise((resolve) => {
        answers.push((items) => resolve(Response.json({ items, next: null })));
      }),
  );
  return { client, answers };
}

const shown = (enrolments: Enrolments) => enrolments.list.value.map((item) => item.device);

describe("boards to decide on", () => {
  it("shows what is refused before what waits, and nothing that is decided", async () => {
    const { client, answers } = asked();
    const enrolments = new Enrolments(client);
    const loading = enrolments.load();
    answers[0]?.([
      board("late", "pending", 2),
      board("early", "pending", 1),
      board("false", "refused", 3),
      board("in", "accepted"),
      board("out", "rejected"),
    ]);
    await loading;
    expect(shown(enrolments)).toEqual(["false", "early", "late"]);
  });

  it("forgets a board when it is accepted", () => {
    const enrolments = new Enrolments(asked().client);
    enrolments.take(board("a", "pending"));
    enrolments.take(board("b", "pending"));
    enrolments.take(board("a", "accepted"));
    expect(shown(enrolments)).toEqual(["b"]);
  });

  it("drops an answer that the stream has overtaken", async () => {
    const { client, answers } = asked();
    const enrolments = new Enrolments(client);
    const loading = enrolments.load();
    enrolments.take(board("a", "accepted"));
    answers[0]?.([board("a", "pending")]);
    await loading;
    expect(shown(enrolments)).toEqual([]);
  });

  it("keeps what it had where the hub does not answer", async () => {
    const enrolments = new Enrolments(
      new Client(
        () => {},
        () => Promise.reject(new TypeError("offline")),
      ),
    );
    enrolments.take(board("a", "pending"));
    await enrolments.load();
    expect(shown(enrolments)).toEqual(["a"]);
  });
});
