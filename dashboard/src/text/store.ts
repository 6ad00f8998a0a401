/** Words of the store's wear and size. */
export const store = {
  title: "Disk or card",
  file: "File",
  written: "Written a day",
  life: "Card lasts, at this rate",
  compression: "Smaller than plain",
  perSample: "A sealed sample",
  commits: "Commit, typical",
  slowest: "Commit, 99 of 100 within",
  waiting: "Readings waiting",
  years: (text: string) => `${text} years`,
  early: "after 10 min",
  columns: { device: "Device", samples: "Samples", bytes: "In the file", each: "Each" },
  empty: "No samples are sealed yet; the first are within a quarter of an hour.",
  note: "The card's life is that of one of this disk's size which bears 500 full overwrites.",
};
