/**
 * The browser's audio for one call.
 *
 *   microphone ─► meter ─► microphone worklet ─► onFrame (640 bytes, every 20 ms)
 *   play(), mark(), clear() ─► playback worklet ─► meter ─► loudspeaker, and onPlayed(mark)
 *
 * A refused or missing microphone is not an error: the worklet then sends silence and the call goes on by typing.
 * AudioWorklet exists only in secure contexts (HTTPS or localhost); elsewhere silent-audio.ts takes this one's place.
 */
import microphoneUrl from './microphone-worklet.ts?worker&url'
import playbackUrl from './playback-worklet.ts?worker&url'
import type { MicrophoneCommand, PlaybackCommand } from './worklet-messages.ts'

export type MicrophoneState = 'ready' | 'denied' | 'absent' | 'unsupported'

export interface AudioEvents {
  /** 20 ms of user audio, 640 bytes of 16 kHz s16le. */
  onFrame(pcm: ArrayBuffer): void
  /** Everything queued before this mark was played. */
  onPlayed(mark: string): void
}

/** What a call needs from audio, whether real or silent. */
export interface CallAudio {
  readonly microphone: MicrophoneState
  play(pcm: ArrayBuffer): void
  mark(name: string): void
  /** Drops the queue at once and forgets its marks. */
  clear(): void
  setMuted(muted: boolean): void
  /** Momentary peak levels, 0…1, for drawing. */
  levels(): { user: number; agent: number }
  close(): Promise<void>
}

export function audioSupported(): boolean {
  return typeof AudioContext === 'function' && 'audioWorklet' in AudioContext.prototype
}

/** Opens microphone and loudspeaker; must begin inside a user gesture, or the browser keeps the context suspended. */
export async function openCallAudio(events: AudioEvents): Promise<CallAudio> {
  const context = new AudioContext({ latencyHint: 'interactive' })
  try {
    await Promise.all([
      context.resume(),
      context.audioWorklet.addModule(microphoneUrl),
      context.audioWorklet.addModule(playbackUrl),
    ])
    const { state, stream } = await askForMicrophone()
    return new WorkletAudio({ context, state, stream, events })
  } catch (error) {
    await context.close()
    throw error
  }
}

async function askForMicrophone(): Promise<{ state: MicrophoneState; stream: MediaStream | null }> {
  if (!navigator.mediaDevices) return { state: 'absent', stream: null }
  try {
    const audio = {
      channelCount: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    }
    return { state: 'ready', stream: await navigator.mediaDevices.getUserMedia({ audio }) }
  } catch (error) {
    const name = error instanceof DOMException ? error.name : ''
    const state = name === 'NotAllowedError' || name === 'SecurityError' ? 'denied' : 'absent'
    return { state, stream: null }
  }
}

interface AudioParts {
  context: AudioContext
  state: MicrophoneState
  stream: MediaStream | null
  events: AudioEvents
}

class WorkletAudio implements CallAudio {
  readonly microphone: MicrophoneState
  readonly #context: AudioContext
  readonly #stream: MediaStream | null
  readonly #capture: AudioWorkletNode
  readonly #playback: AudioWorkletNode
  readonly #userMeter: AnalyserNode
  readonly #agentMeter: AnalyserNode
  readonly #samples = new Float32Array(512)
  #muted = false

  constructor(parts: AudioParts) {
    const { context, events } = parts
    this.microphone = parts.state
    this.#context = context
    this.#stream = parts.stream
    this.#userMeter = new AnalyserNode(context, { fftSize: 512 })
    this.#agentMeter = new AnalyserNode(context, { fftSize: 512 })
    this.#capture = new AudioWorkletNode(context, 'microphone', {
      channelCount: 1,
      channelCountMode: 'explicit',
    })
    this.#playback = new AudioWorkletNode(context, 'playback', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    })
    this.#capture.port.onmessage = (event: MessageEvent<ArrayBuffer>) => events.onFrame(event.data)
    this.#playback.port.onmessage = (event: MessageEvent<string>) => events.onPlayed(event.data)
    this.#connect()
  }

  play(pcm: ArrayBuffer): void {
    this.#tellPlayback({ kind: 'audio', pcm }, [pcm])
  }

  mark(name: string): void {
    this.#tellPlayback({ kind: 'mark', name })
  }

  clear(): void {
    this.#tellPlayback({ kind: 'clear' })
  }

  setMuted(muted: boolean): void {
    this.#muted = muted
    this.#tellCapture({ kind: 'muted', muted })
  }

  levels(): { user: number; agent: number } {
    const user = this.#muted ? 0 : this.#peak(this.#userMeter)
    return { user, agent: this.#peak(this.#agentMeter) }
  }

  async close(): Promise<void> {
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#tellCapture({ kind: 'stop' })
    this.#tellPlayback({ kind: 'stop' })
    if (this.#context.state !== 'closed') await this.#context.close()
  }

  #connect(): void {
    const out = this.#context.destination
    if (this.#stream) {
      const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: this.#stream })
      source.connect(this.#userMeter).connect(this.#capture)
    }
    // A node that leads nowhere may never run; the capture worklet's output is silence.
    this.#capture.connect(out)
    this.#playback.connect(this.#agentMeter).connect(out)
  }

  #peak(meter: AnalyserNode): number {
    meter.getFloatTimeDomainData(this.#samples)
    let peak = 0
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample))
    return peak
  }

  #tellCapture(command: MicrophoneCommand): void {
    this.#capture.port.postMessage(command)
  }

  #tellPlayback(command: PlaybackCommand, transfer: Transferable[] = []): void {
    this.#playback.port.postMessage(command, transfer)
  }
}
