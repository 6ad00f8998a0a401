import { Recordings } from "./Recordings.tsx";
import { Timelapses } from "./Timelapses.tsx";

/** What a camera has on the disk. */
export function Films({ camera }: { camera: string }) {
  return (
    <>
      <Recordings camera={camera} />
      <Timelapses camera={camera} />
    </>
  );
}
