/** What the page says to its two worklets. They answer with an ArrayBuffer (a frame) or a string (a played mark). */

export type MicrophoneCommand = { kind: 'muted'; muted: boolean } | { kind: 'stop' }

export type PlaybackCommand =
  | { kind: 'audio'; pcm: ArrayBuffer }
  | { kind: 'mark'; name: string }
  | { kind: 'clear' }
  | { kind: 'stop' }
