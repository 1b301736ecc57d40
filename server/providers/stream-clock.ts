/**
 * Which moment of the call is at which place of the audio that a service was sent.
 *
 *   call    0 ──────── 2 000        5 000 ───        the line gave nothing for 3 s
 *   stream  0 ──────── 2 000 ~~~~~~ 2 600 ───        600 ms of silence were put in to keep the service awake
 *
 * A service counts in its own stream; a new anchor is set whenever call and stream part. All times in ms.
 */

/** Behind held silence a sound sets one, each 2 s at most: a service is not 200 s behind with its words. */
const ANCHORS_MAX = 100

export class StreamClock {
  readonly #anchors: { streamMs: number; callMs: number }[] = []
  #streamMs = 0
  #nextCallMs: number | null = null

  /** ms of the call that the line left out before `atMs`; 0 when the audio goes on. */
  gapMs(atMs: number): number {
    return this.#nextCallMs === null ? 0 : Math.max(0, atMs - this.#nextCallMs)
  }

  /** Audio of the call goes into the stream. */
  audio(durationMs: number, atMs: number): void {
    const last = this.#anchors.at(-1)
    const expected = last === undefined ? null : last.callMs + this.#streamMs - last.streamMs
    if (expected === null || Math.abs(expected - atMs) > 1) {
      this.#anchors.push({ streamMs: this.#streamMs, callMs: atMs })
      if (this.#anchors.length > ANCHORS_MAX) this.#anchors.shift()
    }
    this.#streamMs += durationMs
    this.#nextCallMs = atMs + durationMs
  }

  /** Silence that is not of the call goes into the stream. */
  silence(durationMs: number): void {
    this.#streamMs += durationMs
  }

  /** The moment of the call at a place of the stream. */
  callMs(streamMs: number): number {
    const anchor = this.#anchors.findLast((one) => one.streamMs <= streamMs) ?? this.#anchors[0]
    return anchor === undefined ? streamMs : anchor.callMs + streamMs - anchor.streamMs
  }
}
