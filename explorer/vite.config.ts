import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

// Addresses are relative, so that the service may stand behind a proxy under a path of its own.
export default defineConfig({
  base: './',
  build: {
    outDir: process.env.SELFSAME_PAGES ?? '../selfsame/pages',
    emptyOutDir: true,
    assetsInlineLimit: 0, // a `data:` address would need leave in the Content-Security-Policy
    chunkSizeWarningLimit: 8_000, // Monaco is one large part, fetched once
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: 'graphiql.html',
      checks: { pluginTimings: false },
      // Libraries mark what is for browsers with `use client`; all of it is here.
      onLog: (level, log, handler) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handler(level, log),
    },
  },
  worker: { format: 'es' },
  plugins: [compressed()],
})

/** Writes each large text a second time, compressed, so that the service need not do it for each browser. */
function compressed(): Plugin {
  let folder = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir, config.build.assetsDir)
    },
    closeBundle() {
      for (const name of readdirSync(folder).filter((each) => /\.(css|js|svg|ttf)$/.test(each))) {
        writeFileSync(resolve(folder, `${name}.gz`), gzipSync(readFileSync(resolve(folder, name)), { level: 9 }))
      }
    },
  }
}
