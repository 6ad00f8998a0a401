/** What charts say of comparing, of quality and of steering. */
export const chartText = {
  keys: "Drag: zoom. Shift and drag, or one finger: move. Two fingers, or Ctrl and the wheel: zoom. Double click: live. Keys: arrows, Shift and arrows, + and −, Space reads out all charts, Escape",
  compare: {
    label: (title: string) => `Compare ${title} with`,
    none: "Compare",
    stop: "Nothing",
    same: "The same, earlier",
    earlier: {
      3600000: "1 h earlier",
      86400000: "1 day earlier",
      604800000: "1 week earlier",
      2419200000: "4 weeks earlier",
      31536000000: "1 year earlier",
    } as Record<number, string>,
    gone: "not there any more",
  },
  legend: {
    label: "Legend",
    uncertain: "uncertain",
    bad: "not readable",
  },
  versus: (what: string) => `compared with ${what}`,
  noValue: "no sample here",
  spread: (min: string, max: string) => `from ${min} to ${max}`,
  at: (when: string, words: string) => `${when}: ${words}`,
  of: (title: string, words: string) => `${title} ${words}`,
};
