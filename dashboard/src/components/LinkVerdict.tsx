import type { LinkInfo } from "../api/types.ts";
import { clock, hover } from "../format/time.ts";
import { text } from "../text/catalogue.ts";

const RESTARTS = 4;

/** Whether cable, board or hub is to blame, in the hub's words, and what to do. */
export function LinkVerdict({ link }: { link: LinkInfo }) {
  const { cause, text: words, remedy, findings } = link.verdict;
  const others = findings.slice(1);
  const restarts = link.restarts.slice(-RESTARTS).reverse();
  return (
    <div class="verdict" data-cause={cause}>
      <p>
        <strong class="cause">
          <span class="hidden">{text.link.verdict}: </span>
          {text.link.causes[cause] ?? cause}
        </strong>
        <span>{words}</span>
        {remedy && <span class="dim"> {remedy}</span>}
      </p>
      {others.length > 0 && (
        <ul aria-label={text.link.also}>
          {others.map((one) => (
            <li key={one.text}>
              <strong class="cause" data-cause={one.cause}>
                {text.link.causes[one.cause] ?? one.cause}
              </strong>
              {one.text}
            </li>
          ))}
        </ul>
      )}
      {restarts.length > 0 && (
        <p class="dim">
          {text.link.restarts}:{" "}
          {restarts.map((one, at) => (
            <span key={one.time} title={hover(one.time)}>
              {at > 0 && ", "}
              {text.link.restart(clock(one.time), one.cause)}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
