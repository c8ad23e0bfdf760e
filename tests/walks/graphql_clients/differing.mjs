// What a client built on one schema would notice of another one, and how badly, as GraphQL Inspector says.
import {readFileSync} from 'node:fs'
import {diff} from '@graphql-inspector/core'
import {buildSchema} from 'graphql'
import {say, told} from './telling.mjs'

const [before, after] = told.files.map((file) => buildSchema(readFileSync(file, 'utf8')))
const changes = await diff(before, after)
say(changes.map(({criticality, message, path}) => ({level: criticality.level, message, path: path ?? ''})))
