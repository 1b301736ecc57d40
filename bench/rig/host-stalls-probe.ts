/** A process of host-stalls.ts: keeps its processor busy for as many ms as its argument says, and prints its gaps. */
import { GapMeter } from './gap-meter.ts'

const fromMs = performance.now()
const untilMs = fromMs + Number(process.argv[2])
const gaps = new GapMeter(fromMs)
for (let nowMs = fromMs; nowMs < untilMs; nowMs = performance.now()) gaps.see(nowMs)
console.log(JSON.stringify({ longestMs: gaps.longestMs, lostPct: gaps.lostPct }))
