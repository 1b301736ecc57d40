/** The work after a call, with its store and its webhook. */
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { LlmProvider } from '../providers/llm.ts'
import { saveAnalysis } from '../store/analyses.ts'
import type { Database } from '../store/database.ts'
import type { Journal } from '../store/journal.ts'
import { AfterCall } from './after-call.ts'

export function openAfterCall(parts: {
  config: Pick<Config, 'webhook'>
  log: Log
  metrics: Metrics
  db: Database
  journal: Journal
  llm: LlmProvider
  undo: { add(name: string, stop: () => Promise<void>): void }
}): AfterCall {
  const { config, log, metrics, db, journal, llm } = parts
  const { webhook } = config
  const afterCall = new AfterCall({
    llm,
    log,
    metrics,
    written: () => journal.flush(),
    save: (callId, analysis) => saveAnalysis(db, callId, analysis),
    webhook: webhook && { ...webhook, nowSec: () => Math.floor(Date.now() / 1_000) },
  })
  parts.undo.add('after-call work', () => afterCall.stop())
  return afterCall
}
