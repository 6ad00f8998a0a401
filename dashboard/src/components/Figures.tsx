export interface Figure {
  title: string;
  value: string;
  unit?: string;
  tone?: "ok" | "warn" | "bad";
}

/** Names and values in step: the hub's counters, a link's figures, a video's. */
export function Figures({ items }: { items: Figure[] }) {
  return (
    <dl class="figures">
      {items.map((item) => (
        <div key={item.title} data-tone={item.tone}>
          <dt>{item.title}</dt>
          <dd>
            <span class="digits">{item.value}</span>
            {item.unit && <span class="unit"> {item.unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
