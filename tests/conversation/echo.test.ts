import { describe, expect, it } from 'vitest'
import { EchoConversation } from '../../server/conversation/echo.ts'

describe('echo', () => {
  it('listens until it starts, speaks until it closes, and stays ended', () => {
    const echo = new EchoConversation()
    expect(echo.state).toBe('listening')
    echo.start()
    expect(echo.state).toBe('speaking')
    echo.close()
    echo.close()
    expect(echo.state).toBe('ended')
  })
})
