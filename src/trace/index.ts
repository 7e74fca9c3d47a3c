/**
 * What the trace says to people. The records themselves lie with the DMP that keeps them (one commit with what they are
 * about) behind the port `Trace`; this is how they are read out.
 */
export { describe, type HistoryLine } from './history-line.ts'
