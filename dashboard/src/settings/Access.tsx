import "../styles/access.css";
import { type Rights, rightsOf } from "../state/rights.ts";
import { Keeping } from "./Keeping.tsx";
import { Password } from "./Password.tsx";
import { SecurityLog } from "./SecurityLog.tsx";
import { Sessions } from "./Sessions.tsx";
import { Tokens } from "./Tokens.tsx";
import { Users } from "./Users.tsx";
import { Walls } from "./Walls.tsx";

export { rightsOf };

interface Props {
  rights: Rights;
  /** The caller's own name. */
  me: string;
}

/** What everybody sees: the own password and the own sessions. */
export function Own({ rights, me }: Props) {
  return (
    <>
      <Password rights={rights} me={me} />
      <Sessions rights={rights} me={me} />
    </>
  );
}

/** What an admin sees besides. */
export function Everybody({ rights, me }: Props) {
  return (
    <>
      <div class="column">
        <Users rights={rights} me={me} />
        <Tokens rights={rights} />
        <Walls rights={rights} />
      </div>
      <div class="whole">
        <Keeping rights={rights} />
      </div>
      <div class="whole">
        <SecurityLog rights={rights} />
      </div>
    </>
  );
}
