/**
 * The one live call of this page. It outlives the page component: moving to the call list does not hang up.
 *
 *   idle ─► connecting ─► live ─► ended           start() begins a new one from idle or ended
 *                └──────────────► ended (with an error)
 */
import { api, ApiError } from '../api/client.ts'
import type { ConversationState, EndReason } from '../api/types.ts'
import { audioSupported, openCallAudio } from './call-audio.ts'
import type { AudioEvents, CallAudio, MicrophoneState } from './call-audio.ts'
import { MediaSocket } from './media-socket.ts'
import type { ServerMessage } from './media-socket.ts'
import { SilentAudio } from './silent-audio.ts'
import { applyEvent } from './transcript.ts'
import type { Line } from './transcript.ts'

export type LivePhase = 'idle' | 'connecting' | 'live' | 'ended'
export type LiveError = 'connection' | 'audio' | 'refused' | 'server'

export interface Vad {
  speech: boolean
  probability: number
  levelDbfs: number
}

const QUIET: Vad = { speech: false, probability: 0, levelDbfs: -90 }

export class LiveCall {
  phase = $state<LivePhase>('idle')
  conversation = $state<ConversationState>('listening')
  lines = $state.raw<Line[]>([])
  partial = $state('')
  vad = $state.raw<Vad>(QUIET)
  muted = $state(false)
  microphone = $state<MicrophoneState>('ready')
  agentName = $state('')
  callId = $state<string | null>(null)
  endReason = $state<EndReason | null>(null)
  error = $state<LiveError | null>(null)
  errorDetail = $state('')
  startedAtMs = $state(0)
  elapsedMs = $state(0)
  digits = $state('')

  #audio: CallAudio | null = null
  #socket: MediaSocket | null = null
  #clock: ReturnType<typeof setInterval> | null = null
  /** Grows with every call, so that what an old call still promises cannot touch a new one. */
  #attempt = 0

  /** Rings Andrea. Call it from a click: the browser lets audio begin only there. */
  async start(agentId?: string): Promise<void> {
    if (this.phase === 'connecting' || this.phase === 'live') return
    this.#reset()
    const attempt = ++this.#attempt
    try {
      const audio = await this.#openAudio()
      if (attempt !== this.#attempt) return void (await audio.close())
      this.#audio = audio
      this.microphone = audio.microphone
      const { url } = await api.mediaToken(agentId)
      if (attempt === this.#attempt) this.#connect(url)
    } catch (cause) {
      if (attempt !== this.#attempt) return
      this.#fail(cause instanceof ApiError ? 'refused' : 'audio', String(cause))
    }
  }

  hangup(): void {
    if (this.phase !== 'connecting' && this.phase !== 'live') return
    this.endReason ??= 'userHangup'
    this.#end()
  }

  sendText(text: string): void {
    if (this.phase === 'live' && text.trim()) this.#socket?.sendText(text.trim())
  }

  sendDigit(digit: string): void {
    if (this.phase !== 'live') return
    this.digits = (this.digits + digit).slice(-24)
    this.#socket?.sendDigit(digit)
  }

  toggleMuted(): void {
    this.muted = !this.muted
    this.#audio?.setMuted(this.muted)
  }

  /** Back to the start page. */
  dismiss(): void {
    if (this.phase === 'ended') this.#reset('idle')
  }

  levels(): { user: number; agent: number } {
    return this.#audio?.levels() ?? { user: 0, agent: 0 }
  }

  #openAudio(): Promise<CallAudio> {
    const events: AudioEvents = {
      onFrame: (pcm) => this.#socket?.sendFrame(pcm),
      onPlayed: (mark) => this.#socket?.sendPlayed(mark),
    }
    return audioSupported() ? openCallAudio(events) : Promise.resolve(new SilentAudio(events))
  }

  #connect(url: string): void {
    const socket = new MediaSocket(url, {
      onAudio: (pcm) => this.#audio?.play(pcm),
      onMessage: (message) => this.#hear(message),
      onClose: (opened) => {
        if (this.#socket !== socket) return
        if (!this.endReason && !this.error) this.#fail('connection', opened ? 'lost' : 'refused')
        else this.#end()
      },
    })
    this.#socket = socket
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case 'started':
        return this.#started(message)
      case 'mark':
        return this.#audio?.mark(message.name)
      case 'clear':
        return this.#audio?.clear()
      case 'vad':
        this.vad = message
        return
      case 'event':
        return this.#apply(message.event)
      case 'ended':
        this.endReason = message.reason
        return this.#end()
      case 'error':
        this.error = 'server'
        this.errorDetail = `${message.code}: ${message.message}`
    }
  }

  #started(message: { callId: string; agentName: string }): void {
    this.phase = 'live'
    this.callId = message.callId
    this.agentName = message.agentName
    this.startedAtMs = Date.now()
    this.#clock = setInterval(() => (this.elapsedMs = Date.now() - this.startedAtMs), 250)
  }

  #apply(event: Extract<ServerMessage, { type: 'event' }>['event']): void {
    if (event.kind === 'state') this.conversation = event.state
    else if (event.kind === 'partial') this.partial = event.text
    if (event.kind === 'turn' && event.turn.role === 'user') this.partial = ''
    if (event.kind === 'ignored') this.partial = ''
    this.lines = applyEvent(this.lines, event)
  }

  #fail(error: LiveError, detail: string): void {
    this.error ??= error
    this.errorDetail ||= detail
    this.#end()
  }

  #end(): void {
    if (this.phase === 'ended') return
    this.phase = 'ended'
    this.#attempt++
    this.partial = ''
    this.vad = QUIET
    if (this.#clock) clearInterval(this.#clock)
    this.#clock = null
    const audio = this.#audio
    const socket = this.#socket
    this.#audio = null
    this.#socket = null
    socket?.stop()
    audio?.close().catch((cause: unknown) => console.warn('audio did not close', cause))
  }

  #reset(phase: LivePhase = 'connecting'): void {
    this.phase = phase
    this.conversation = 'listening'
    this.lines = []
    this.partial = ''
    this.vad = QUIET
    this.muted = false
    this.microphone = 'ready'
    this.callId = null
    this.endReason = null
    this.error = null
    this.errorDetail = ''
    this.elapsedMs = 0
    this.digits = ''
  }
}

export const liveCall = new LiveCall()
