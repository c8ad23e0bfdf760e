// graphql-ws and graphql-sse: each hears what somebody did after a moment, and then no more.
import {createClient as overSocket} from 'graphql-ws'
import {createClient as overStream} from 'graphql-sse'
import {print} from 'graphql'
import WebSocket from 'ws'
import {operationsOf} from './documents.mjs'
import {say, told} from './telling.mjs'

const {url, read, walker, after, many} = told
const {LiveAdded} = operationsOf('live.graphql')
const patience = 60_000
const known = []
// What a connection went through, for who has to find out why nothing came.
const seen = (what) => (...details) => known.push(`${what} ${JSON.stringify(details.map(({code, message} = {}) => code ?? message))}`)
const on = Object.fromEntries(['connecting', 'opened', 'connected', 'closed', 'error'].map((name) => [name, seen(name)]))
const clients = {
  socket: overSocket({
    url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, connectionParams: {Authorization: `Bearer ${read}`},
    connectionAckWaitTimeout: patience, retryAttempts: 0, on,
  }),
  stream: overStream({url, headers: {authorization: `Bearer ${read}`}}),
}

async function heard(way) {
  const names = []
  const ended = setTimeout(() => {
    console.error(`over ${way} ${names.length} of ${many} came in ${patience} ms: ${names}; the connection: ${known.join(', ')}`)
    process.exit(1)
  }, patience)
  for await (const {data, errors} of clients[way].iterate({query: print(LiveAdded), variables: {by: {identifier: walker}, after}})) {
    if (errors) throw new Error(JSON.stringify(errors))
    names.push(data.interactionAdded.interaction.name)
    known.push(`${names.at(-1)} at ${data.interactionAdded.sequence}`)
    if (names.length === many) break
  }
  clearTimeout(ended)
  return names
}

say({socket: await heard('socket'), stream: await heard('stream')})
