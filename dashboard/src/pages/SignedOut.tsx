import { ApiError } from "../api/client.ts";
import { Door } from "../components/Door.tsx";
import { Notice, Steps } from "../components/Notice.tsx";
import { useHub } from "../state/context.ts";
import { hangUp } from "../state/wall.ts";
import { text, wallText } from "../text/catalogue.ts";

/** The hub does not know this browser: a login form, and how to get a new link. On a wall, how to let it in. */
export function SignedOut({ wall = false }: { wall?: boolean }) {
  return (
    <>
      <h1 tabIndex={-1} class="hidden">
        {text.product}
      </h1>
      {wall ? <WallDoor /> : <Login />}
    </>
  );
}

function Login() {
  const { client } = useHub();
  const words = text.signedOut;
  return (
    <Notice title={words.title}>
      <p>{words.text}</p>
      <Door
        fields={[
          { name: "name", label: words.name, secret: false, autocomplete: "username" },
          {
            name: "password",
            label: words.password,
            secret: true,
            autocomplete: "current-password",
          },
        ]}
        submit={words.logIn}
        busy={words.loggingIn}
        enter={(entered) => client.logIn(entered("name"), entered("password"))}
      />
      <h2 class="or">{words.byLink}</h2>
      <p>{words.how}</p>
      <Steps steps={words.ways} />
      <button type="button" onClick={() => location.reload()}>
        {words.retry}
      </button>
    </Notice>
  );
}

/** Lets a display in by its token, typed or pasted, with what stands before it or without. */
function WallDoor() {
  const { client } = useHub();
  const enter = async (entered: (name: string) => string) => {
    try {
      await hangUp(client, entered("token").replace(/^.*#/, ""));
    } catch (error) {
      // The hub speaks of a header, for programs.
      throw error instanceof ApiError && error.status === 401 ? new Error(wallText.refused) : error;
    }
  };
  return (
    <Notice title={wallText.outTitle}>
      <p>{wallText.out}</p>
      <Door
        fields={[{ name: "token", label: wallText.token, secret: true, autocomplete: "off" }]}
        submit={wallText.letIn}
        busy={wallText.lettingIn}
        enter={enter}
      />
    </Notice>
  );
}
