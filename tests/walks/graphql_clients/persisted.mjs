// Documents by their hash: Apollo's own link and urql's own exchange, by POST and by GET, and one that is trusted.
import {createHash} from 'node:crypto'
import {ApolloClient, HttpLink, InMemoryCache} from '@apollo/client'
import {PersistedQueryLink} from '@apollo/client/link/persisted-queries'
import {Client, fetchExchange} from '@urql/core'
import {persistedExchange} from '@urql/exchange-persisted'
import {parse, print} from 'graphql'
import {operationsOf} from './documents.mjs'
import {say, told} from './telling.mjs'

const {url, trusting, read, walker, id} = told
const {PersistedPerson} = operationsOf('persisted.graphql')
const headers = {authorization: `Bearer ${read}`}
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const by = {identifier: walker}
const asked = []

// By which method was asked, what caches are told of the answer, whether the text was sent, and what was said.
async function counted(address, init) {
  const sent = init.method === 'GET' ? Object.fromEntries(new URL(address).searchParams) : JSON.parse(init.body)
  const answer = await fetch(address, init)
  const {errors} = await answer.clone().json()
  const code = errors?.[0].extensions.code ?? 'answered'
  asked.push([init.method, answer.headers.get('cache-control'), sent.query ? 'text' : 'hash', code])
  return answer
}

// No two clients have a document in common, so that none knows what another one sent.
const own = (name) => parse(print(PersistedPerson).replace('PersistedPerson', name))

function apollo(uri, options) {
  const link = new PersistedQueryLink(options).concat(new HttpLink({uri, headers, fetch: counted}))
  return new ApolloClient({link, cache: new InMemoryCache()})
}

function urql(address, options) {
  const exchanges = [persistedExchange(options), fetchExchange]
  return new Client({url: address, exchanges, fetch: counted, preferGetMethod: false, fetchOptions: {headers}})
}

async function byApollo(client, query) {
  return (await client.query({query, variables: {by}, fetchPolicy: 'network-only'})).data.profile.known
}

async function byUrql(client, document) {
  const {data, error} = await client.query(document, {by}, {requestPolicy: 'network-only'}).toPromise()
  if (error) throw error
  return data.profile.known
}

async function twice(ask, client, name) {
  const document = own(name)
  const known = [await ask(client, document), await ask(client, document)]
  return {known, asked: asked.splice(0)}
}

// The id that the build of a front-end gave the document is sent in the place of its hash.
async function trusted() {
  const generateHash = () => id
  const known = [
    await byApollo(apollo(trusting, {generateHash, useGETForHashedQueries: true}), PersistedPerson),
    await byUrql(urql(trusting, {generateHash, enforcePersistedQueries: true}), PersistedPerson),
  ]
  const other = await urql(trusting).query(own('Other'), {by}).toPromise()
  return {known, other: other.error.graphQLErrors[0].extensions.code, asked: asked.splice(0)}
}

say({
  apollo: {
    POST: await twice(byApollo, apollo(url, {sha256}), 'ApolloByPost'),
    GET: await twice(byApollo, apollo(url, {sha256, useGETForHashedQueries: true}), 'ApolloByGet'),
  },
  urql: {
    POST: await twice(byUrql, urql(url, {preferGetForPersistedQueries: false}), 'UrqlByPost'),
    GET: await twice(byUrql, urql(url, {preferGetForPersistedQueries: 'force'}), 'UrqlByGet'),
  },
  trusted: await trusted(),
})
