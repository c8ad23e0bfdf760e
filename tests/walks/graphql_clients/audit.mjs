// What the audit of GraphQL over HTTP says of a service: each of its points, and how it was met.
import {auditServer} from 'graphql-http'
import {told, say} from './telling.mjs'

const {url, read} = told
const fetchFn = (address, init = {}) => fetch(address, {...init, headers: {...init.headers, authorization: `Bearer ${read}`}})
const points = await auditServer({url, fetchFn})
say(points.map(({id, name, status, reason}) => ({id, name, status, reason: reason ?? ''})))
