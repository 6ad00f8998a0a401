/** What is measured of the pictures on screen, as video or as what stands in for it. */
export interface VideoFigures {
  width: number;
  height: number;
  fps: number;
  kbps: number;
  rttMs: number | null;
  /** Packets; null where the way keeps them, as HTTP does. */
  lost: number | null;
  dropped: number | null;
  codec: string;
}
