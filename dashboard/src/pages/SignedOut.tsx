import { LoginForm } from "../components/LoginForm.tsx";
import { Notice, Steps } from "../components/Notice.tsx";
import { text } from "../text/en.ts";

/** The hub does not know this browser: a login form, and how to get a new link. */
export function SignedOut() {
  return (
    <>
      <h1 tabIndex={-1} class="hidden">
        {text.product}
      </h1>
      <Notice title={text.signedOut.title}>
        <p>{text.signedOut.text}</p>
        <p>{text.signedOut.how}</p>
        <LoginForm />
        <Steps steps={text.signedOut.ways} />
        <button type="button" onClick={() => location.reload()}>
          {text.signedOut.retry}
        </button>
      </Notice>
    </>
  );
}
