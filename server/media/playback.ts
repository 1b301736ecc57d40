/**
 * The agent's mouth, as the conversation sees it. A segment is the audio of one sentence; segments play in the order
 * of their first `append`. "Heard" is what the line has played, not what we have sent (docs/adr/0004).
 */
export interface Playback {
  /** Adds audio (the TTS provider's rate) to a segment. The array is owned by the playback from here on. */
  append(segmentId: number, pcm: Int16Array): void
  /**
   * No more audio follows for this segment; a mark goes out behind its last frame. Due for every segment, also one whose
   * synthesis failed: until then the segments behind it wait.
   */
  finish(segmentId: number): void
  /** Drops everything unplayed, here and at the carrier. Afterwards segments from before report nothing more. */
  clear(): void
  /** Lowers the agent's voice while it is not yet clear whether the user takes the floor. */
  setDucked(ducked: boolean): void
  /**
   * Silences the agent at once, here and at the carrier, and keeps what was not heard; set back, the agent goes on exactly
   * where the user stopped hearing. clear() ends a pause.
   */
  setPaused(paused: boolean): void
  readonly paused: boolean
  /** How much of the segment the user has heard, ms; 0 when it has not begun; never decreases. Valid after clear(). */
  heardMs(segmentId: number): number
  /** True while anything appended is still unheard. */
  readonly busy: boolean
}

/** What the playback tells the conversation. */
export interface PlaybackEvents {
  /** The segment's first frame went to the line. */
  onSegmentStarted(segmentId: number, atMs: number): void
  /** The first frames of audio that was handed over while nothing played are ready. */
  onAudioPrepared?(): void
  /**
   * The carrier confirmed (mark) that the whole segment was played. `carrierMs`: how much later that came than the segment's
   * end by our clock; null when no mark of its own told it.
   */
  onSegmentHeard(segmentId: number, atMs: number, carrierMs?: number | null): void
}
