/** What is on screen where the hub cannot be reached, and when it came back newer. */
export const kept = {
  title: "Not live.",
  text: (clock: string) =>
    `The hub cannot be reached. You see what this browser last saw, at ${clock}.`,
  ago: (age: string) => `That is ${age} ago.`,
  again: "It is tried again by itself.",
  upgraded: "The hub has a newer dashboard",
  reload: "Reload",
};
