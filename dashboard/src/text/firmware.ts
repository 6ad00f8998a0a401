/** Words of the firmware's panel. */
export const firmwareText = {
  title: "Firmware",
  newest: (version: string) => `${version} is the newest that this hub has.`,
  newer: (version: string) => `Version ${version} is there.`,
  ahead: (version: string) => `The hub's is older: ${version}.`,
  update: (version: string) => `Update to ${version}`,
  promise: "It goes on sending meanwhile, and goes back to the former one if the new one fails.",
  viewer: "An admin can update it.",
  offline: "It can be updated when it is online.",
  failed: (reason: string) => `Not updated: ${reason}`,
  unread: (reason: string) => `What there is cannot be read: ${reason}`,
  done: (firmware: string) => `Updated: it runs ${firmware}.`,
};
