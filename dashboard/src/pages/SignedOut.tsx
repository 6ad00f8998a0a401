import { LoginForm } from "../components/LoginForm.tsx";
import { Notice, Steps } from "../components/Notice.tsx";
import { WallDoor } from "../components/WallDoor.tsx";
import { text, wallText } from "../text/catalogue.ts";

/** The hub does not know this browser: a login form, and how to get a new link. On a wall, how to let it in. */
export function SignedOut({ wall = false }: { wall?: boolean }) {
  return (
    <>
      <h1 tabIndex={-1} class="hidden">
        {text.product}
      </h1>
      {wall ? (
        <Notice title={wallText.outTitle}>
          <p>{wallText.out}</p>
          <WallDoor />
        </Notice>
      ) : (
        <Notice title={text.signedOut.title}>
          <p>{text.signedOut.text}</p>
          <p>{text.signedOut.how}</p>
          <LoginForm />
          <Steps steps={text.signedOut.ways} />
          <button type="button" onClick={() => location.reload()}>
            {text.signedOut.retry}
          </button>
        </Notice>
      )}
    </>
  );
}
