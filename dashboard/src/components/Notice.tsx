import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  tone?: "plain" | "error";
  children?: ComponentChildren;
}

/** What a page says when it has nothing to show: empty, in error, not found. */
export function Notice({ title, tone = "plain", children }: Props) {
  return (
    <section class={`notice ${tone}`} role={tone === "error" ? "alert" : undefined}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Things to do, each with the command that does it. */
export function Steps({ steps }: { steps: { title: string; text: string; code: string }[] }) {
  return (
    <ul class="steps">
      {steps.map((step) => (
        <li key={step.title}>
          <h3>{step.title}</h3>
          <p>{step.text}</p>
          <code>{step.code}</code>
        </li>
      ))}
    </ul>
  );
}
