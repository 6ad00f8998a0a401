// The library with its styles, and ours after them, wherever it is first needed.
import "uplot/dist/uPlot.min.css";
import "../styles/uplot.css";

export { default } from "uplot";
