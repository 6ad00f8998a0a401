/** Words of boards that wait to be accepted, are refused, and of their keys. */
export const enrolmentText = {
  title: "Boards to decide on",
  waits: "waits to be accepted",
  refused: "refused",
  on: (place: string) => `on ${place}`,
  away: (place: string) => `was on ${place}`,
  metrics: (count: number) => (count === 1 ? "1 metric" : `${count} metrics`),
  kept: (count: number) => (count === 1 ? "1 reading kept aside" : `${count} readings kept aside`),
  left: (count: number) => `${count} more are left on the board`,
  impostor: (reason: string) =>
    `It says that it is this board, and is not let in: ${reason}. Its samples are not stored.`,
  impostorOn: (place: string, reason: string) =>
    `A board on ${place} says that it is this one, and is not let in: ${reason}.`,
  accept: "Accept",
  about: (device: string) => device,
  reject: "Reject",
  rejectQuestion: "Turn it away, and drop what it said?",
  rejectYes: "Reject it",
  dismiss: "Dismiss",
  renew: "Accept with a new key",
  renewQuestion: "Is this the board? Then it lost its key, and gets a new one.",
  renewYes: "It is, accept it",
  viewer: "An admin can accept it.",
  announce: (name: string) => `${name} waits to be accepted`,
  announceRefused: (name: string) => `A board says that it is ${name}, and is refused`,
  key: {
    title: "Key",
    fact: "Key",
    proven: "proven",
    none: "none",
    provenText:
      "It has proved that it is the board that was accepted. No other can take its place.",
    noneText:
      "It has no key: another board that says the same id is taken for it. It gets one on a cable, with firmware that keeps it.",
    offlineText: "Whether it holds its key is seen when it is online.",
    renew: "Give it a new key",
    renewYes: "Give it a new key",
    renewQuestion: "Make a new key, in place of any that it has?",
    renewed: "A new key is on its way.",
    forget: "Forget the board",
    forgetQuestion:
      "Forget its key? It waits to be accepted when it comes again. Its history stays.",
    forgetYes: "Forget it",
    forgotten: "It is forgotten.",
    viewer: "An admin can give it a new key, or forget it.",
  },
};
