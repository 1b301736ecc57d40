import { describe, expect, it } from 'vitest'
import { EchoConversation } from '../../server/conversation/echo.ts'

function setUp() {
  const lengths: number[] = []
  let clears = 0
  const echo = new EchoConversation({
    append: (_id, pcm) => void lengths.push(pcm.length),
    finish: () => {},
    clear: () => void (clears += 1),
    setDucked: () => {},
    setPaused: () => {},
    paused: false,
    heardMs: () => 0,
    busy: false,
  })
  return { echo, lengths, clears: () => clears }
}

describe('echo', () => {
  it('appends frames as they are: 160 samples of a telephone line, 320 of a wider one', () => {
    const { echo, lengths } = setUp()
    echo.start()
    echo.userPcm(new Int16Array(160))
    echo.userPcm(new Int16Array(320))
    expect(lengths).toEqual([160, 320])
  })

  it('leaves silence out while more than 60 ms of echo wait, and never a frame with a sound in it', () => {
    const { echo, lengths } = setUp()
    echo.start()
    for (let frame = 0; frame < 10; frame++) echo.userPcm(new Int16Array(320))
    expect(lengths.length).toBe(4)
    for (let frame = 0; frame < 10; frame++) echo.userPcm(new Int16Array(320).fill(500, 300))
    expect(lengths.length).toBe(14)
  })

  it('copies: the caller may reuse its array', () => {
    const got: Int16Array[] = []
    const { echo } = setUp()
    const pcm = new Int16Array([1, 2, 3])
    const playback = {
      append: (_id: number, frame: Int16Array) => void got.push(frame),
      finish: () => {},
      clear: () => {},
      setDucked: () => {},
      setPaused: () => {},
      paused: false,
      heardMs: () => 0,
      busy: false,
    }
    const copying = new EchoConversation(playback)
    copying.start()
    copying.userPcm(pcm)
    pcm.fill(0)
    expect([...(got[0] ?? [])]).toEqual([1, 2, 3])
    expect(echo.state).toBe('listening')
  })

  it('is silent before start() and after close(), which clears once', () => {
    const { echo, lengths, clears } = setUp()
    echo.userPcm(new Int16Array(320))
    echo.start()
    echo.close()
    echo.close()
    echo.userPcm(new Int16Array(320))
    expect(lengths).toEqual([])
    expect(clears()).toBe(1)
  })
})
