// graphql-ws and graphql-sse: each hears what somebody did after a moment, and then no more.
import {createClient as overSocket} from 'graphql-ws'
import {createClient as overStream} from 'graphql-sse'
import {print} from 'graphql'
import WebSocket from 'ws'
import {operationsOf} from './documents.mjs'
import {say, told} from './telling.mjs'

const {url, read, walker, after, many} = told
const {LiveAdded} = operationsOf('live.graphql')
const clients = {
  socket: overSocket({
    url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, connectionParams: {Authorization: `Bearer ${read}`},
  }),
  stream: overStream({url, headers: {authorization: `Bearer ${read}`}}),
}

async function heard(client) {
  const names = []
  for await (const {data, errors} of client.iterate({query: print(LiveAdded), variables: {by: {identifier: walker}, after}})) {
    if (errors) throw new Error(JSON.stringify(errors))
    names.push(data.interactionAdded.interaction.name)
    if (names.length === many) break
  }
  return names
}

say({socket: await heard(clients.socket), stream: await heard(clients.stream)})
