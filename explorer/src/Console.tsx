import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import { createClient } from 'graphql-ws'
import { useEffect, useMemo, useState } from 'react'
import { EXAMPLES } from './examples'
import { ADDRESS, LIVE_ADDRESS, sentenceIn, shown } from './session'

interface Props {
  apiKey: string
  /** why: what the service says when the key opens nothing any more. */
  onLeave(why?: string): void
}

/** GraphiQL for who is signed in. What is typed is kept as long as the key: it may be personal data. */
export default function Console({ apiKey, onLeave }: Props) {
  const [withoutSchema, setWithoutSchema] = useState<string>()
  const live = useMemo(() => createClient({ url: LIVE_ADDRESS, connectionParams: { key: apiKey } }), [apiKey])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another fetcher would read the schema again
  const fetcher = useMemo(() => asking(apiKey, live, onLeave, setWithoutSchema), [apiKey, live])
  useEffect(() => () => void live.dispose(), [live])

  return (
    <div className="console">
      {withoutSchema !== undefined && (
        <p role="status" className="notice">
          The service does not tell this key its schema: {withoutSchema}. Queries are answered all the same, without
          documentation and completion.
        </p>
      )}
      <GraphiQL
        fetcher={fetcher}
        storage={sessionStorage}
        defaultTabs={EXAMPLES}
        plugins={[]}
        isHeadersEditorEnabled={false}
        showPersistHeadersSettings={false}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <span className="brand">Selfsame</span>
          <button type="button" className="leave" onClick={() => onLeave()}>
            Sign out
          </button>
        </GraphiQL.Logo>
      </GraphiQL>
    </div>
  )
}

/** Asks by POST, and subscribes over the WebSocket; both show the key. */
function asking(
  key: string,
  live: ReturnType<typeof createClient>,
  leave: Props['onLeave'],
  refused: (sentence: string | undefined) => void,
): Fetcher {
  const ask = createGraphiQLFetcher({
    url: ADDRESS,
    headers: shown(key),
    wsClient: live,
    enableIncrementalDelivery: false,
    fetch: async (input, init) => {
      const answer = await fetch(input, { ...init, credentials: 'omit' })
      if (answer.status === 401) leave(sentenceIn(await answer.clone().json()))
      return answer
    },
  })
  return async (question, options) => {
    const answer = await ask(question, options)
    if (question.operationName === 'IntrospectionQuery') refused(sentenceIn(answer))
    return answer
  }
}
