/** Keys, and what they do. */
export const keys = {
  title: "Keys",
  close: "Close",
  followed: "then",
  groups: [
    {
      title: "Anywhere",
      keys: [
        { keys: ["?"], does: "show this" },
        { keys: ["g", "o"], does: "Overview" },
        { keys: ["g", "c"], does: "Commands" },
        { keys: ["g", "a"], does: "Alerts" },
        { keys: ["g", "h"], does: "Health" },
        { keys: ["g", "s"], does: "Settings" },
        { keys: ["g", "w"], does: "Wall view" },
      ],
    },
    {
      title: "Overview",
      keys: [
        { keys: ["/"], does: "find devices and metrics" },
        { keys: ["Esc"], does: "end the search" },
        { keys: ["Alt+arrows"], does: "move the device that has the focus" },
      ],
    },
    {
      title: "Charts",
      keys: [
        { keys: ["← →"], does: "read value by value" },
        { keys: ["Shift+← →"], does: "move in time" },
        { keys: ["+ −"], does: "closer, wider" },
        { keys: ["Esc"], does: "back to live" },
      ],
    },
  ],
};
