/** How the overview is arranged. */
export const overviewText = {
  group: {
    label: "Group devices",
    none: "No groups",
    tag: "By tag",
    link: "By link",
  },
  untagged: "Without a tag",
  devices: (count: number) => (count === 1 ? "1 device" : `${count} devices`),
  offline: (count: number) => `${count} offline`,
};
