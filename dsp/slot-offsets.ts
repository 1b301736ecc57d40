/** Where a slot's fields lie, from the constants the DSP core exports (assembly/slot.ts). */
import { constant, type Layout } from './layout.ts'

export type SlotOffsets = ReturnType<typeof slotOffsets>

/**
 * Field offsets in words, and sizes, as plain properties: a lookup by name per access would cost
 * more than the work.
 */
export function slotOffsets(layout: Layout) {
  const bytes = (name: string): number => constant(layout, name)
  const word = (name: string): number => bytes(name) >> 2
  return {
    inWrite: word('IN_WRITE'),
    inRead: word('IN_READ'),
    pcmRead: word('PCM_READ'),
    pcmWrite: word('PCM_WRITE'),
    ttsWrite: word('TTS_WRITE'),
    ttsRead: word('TTS_READ'),
    outRead: word('OUT_READ'),
    outWrite: word('OUT_WRITE'),
    agentGain: word('AGENT_GAIN'),
    wantFrames: word('WANT_FRAMES'),
    flushTo: word('FLUSH_TO'),
    spurtFrom: word('SPURT_FROM'),
    clearEpoch: word('CLEAR_EPOCH'),
    clearTo: word('CLEAR_TO'),
    clearFrom: word('CLEAR_FROM'),
    epochSeen: word('EPOCH_SEEN'),
    fault: word('FAULT'),
    outHeader: word('OUT_HEADER_BYTES'),
    recordEpoch: word('OUT_EPOCH'),
    recordHasAgent: word('OUT_HAS_AGENT'),
    recordConsumed: word('OUT_CONSUMED'),
    inRing: bytes('IN_RING'),
    inRingBytes: bytes('IN_RING_BYTES'),
    pcmRing: bytes('PCM_RING'),
    pcmFrames: bytes('PCM_FRAMES'),
    pcmFrameBytes: bytes('PCM_FRAME_BYTES'),
    detectionRing: bytes('DETECTION_RING'),
    detectionBytes: bytes('DETECTION_BYTES'),
    ttsRing: bytes('TTS_RING'),
    ttsRingBytes: bytes('TTS_RING_BYTES'),
    ttsFrames: bytes('TTS_FRAMES'),
    outRing: bytes('OUT_RING'),
    outRecord: bytes('OUT_RECORD_BYTES'),
    outFrames: bytes('OUT_FRAMES'),
    prepared: bytes('PREPARED_FRAMES'),
  }
}
