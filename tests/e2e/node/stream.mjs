// Follows a live stream with the `eventsource` package, which resumes by itself, and prints each sample's value as a
// line. Usage: node stream.mjs ADDRESS TOKEN
import { EventSource } from "eventsource";

const [address, token] = process.argv.slice(2);
const source = new EventSource(address, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
});
source.addEventListener("samples", (event) => {
  for (const row of JSON.parse(event.data)) console.log(row[3]);
});
source.addEventListener("reset", () => console.log("reset"));
// The package's wait before it comes back does not keep node alive.
setInterval(() => {}, 60_000);
