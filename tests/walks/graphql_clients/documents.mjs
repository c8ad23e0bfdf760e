// The operations of one of the files beside this one, by their names.
import {readFileSync} from 'node:fs'
import {parse, separateOperations} from 'graphql'

export const operationsOf = (file) => separateOperations(parse(readFileSync(file, 'utf8')))
