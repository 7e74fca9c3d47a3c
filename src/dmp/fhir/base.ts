/**
 * Where the DMP is: every URL that it names is held to its own base before anything is sent there, so that no link of an
 * answer takes a token to another host.
 */
import { GatewayError } from '../../errors.ts'

export interface Base {
  /** Without a slash at the end. */
  readonly url: string
  /**
   * The URL as it is asked for: absolute, or relative to the base.
   * @throws GatewayError dmp-answer-invalid for one outside the base
   */
  resolve(reference: string): string
  /** The id in `TYPE/ID`, `TYPE/ID/_history/V` or their absolute forms here; undefined for anything else. */
  idIn(reference: string, type: string): string | undefined
}

export function createBase(baseUrl: string, knownAs: readonly string[]): Base {
  const [own, ...others] = [baseUrl, ...knownAs].map((each) => each.replace(/\/+$/, ''))
  const url = own ?? ''
  const { origin } = new URL(url)
  /** What follows the base, without a slash at its beginning; undefined outside. */
  const within = (reference: string): string | undefined => {
    if (!/^[a-z][a-z0-9+.-]*:|^\//i.test(reference)) return reference
    const absolute = /^\/(?!\/)/.test(reference) ? origin + reference : reference
    const found = [url, ...others].find((each) => absolute === each || /^[/?]/.test(cut(absolute, each)))
    return found && cut(absolute, found).replace(/^\//, '')
  }
  return {
    url,
    resolve(reference) {
      const rest = within(reference)
      // `..` and an encoded slash or dot may lead out of the base once a server or a proxy has read them, and so does what
      // the reader of a URL leaves out: `.` TAB `.`
      const path = rest?.split(/[?#]/)[0] ?? ''
      const unsound =
        path.split('/').some((step) => step === '..' || step === '.') || /%2e|%2f|%5c|\\|\s|\p{Cc}/iu.test(path)
      if (rest === undefined || unsound)
        throw new GatewayError('dmp-answer-invalid', {
          detail: 'The answer leads to another place than the DMP: nothing was sent there.',
        })
      return rest.startsWith('?') || rest === '' ? url + rest : `${url}/${rest}`
    },
    idIn(reference, type) {
      const [, kind, id] =
        /^([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(within(reference) ?? '') ?? []
      return kind === type ? id : undefined
    },
  }
}

/** What is left of a text after its beginning; empty when it begins otherwise. */
function cut(text: string, beginning: string): string {
  return text.startsWith(beginning) ? text.slice(beginning.length) : ''
}
