import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Control } from "../api/control.ts";
import type { Hub } from "./hub.ts";
import type { Preferences } from "./preferences.ts";
import type { Router } from "./router.ts";

/** What every component may reach: made once in main, handed down. */
export interface Reach {
  hub: Hub;
  control: Control;
  router: Router;
  preferences: Preferences;
}

export const ReachContext = createContext<Reach | null>(null);

export function useReach(): Reach {
  const reach = useContext(ReachContext);
  if (reach === null) throw new Error("no ReachContext above this component");
  return reach;
}

export const useHub = (): Hub => useReach().hub;
