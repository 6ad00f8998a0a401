/** How this browser shows things. */
export const look = {
  title: "Look",
  lead: "Kept in this browser.",
  theme: "Theme",
  themes: { system: "As the system", light: "Light", dark: "Dark" },
  zone: "Times",
  zones: {
    viewer: (zone: string) => `Yours, ${zone}`,
    hub: (zone: string) => `The hub's, ${zone}`,
    utc: () => "UTC",
  } as Record<"viewer" | "hub" | "utc", (zone: string) => string>,
  units: "Units",
  quantities: {
    temperature: "Temperature",
    pressure: "Pressure",
    speed: "Speed",
    length: "Length",
  },
  asSent: "As the device sends",
  lengths: { metric: "mm, m, km", imperial: "in, ft, mi" } as Record<string, string>,
  unitsNote:
    "On screens only, and in the thresholds of alert rules as you type them. What is stored, saved as CSV or sent to a device keeps the device's unit.",
};
