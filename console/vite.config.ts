import { readFileSync } from 'node:fs'
import { defineConfig, type ProxyOptions } from 'vite'

/** The API of the local stack that was started last, for `npm run dev`. */
function stackProxy(): Record<string, ProxyOptions> {
  const file = process.env.SLUICE_STACK ?? '../.local/stack.json'
  const api = new URL(JSON.parse(readFileSync(file, 'utf8')).api)
  const prefix = api.pathname.replace(/\/v1$/, '')
  return {
    '^/v1/(?!console/)': { target: api.origin, rewrite: (path) => prefix + path },
    '^/v1/console/config.json': { target: api.origin, rewrite: (path) => prefix + path },
  }
}

const FRAME = /node_modules\/(preact|openapi-fetch)\/|console\/src\/(api|styles|ui\/[^/]+$|[^/]+$)/

// Assets lie beside index.html, and every address is relative to its <base>, which the function
// that serves it sets: the same build works below any stage of a gateway.
export default defineConfig(({ command }) => ({
  base: command === 'serve' ? '/v1/console/' : './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: command === 'serve' ? { proxy: stackProxy() } : undefined,
  build: {
    outDir: process.env.CONSOLE_OUT ?? 'dist',
    emptyOutDir: true,
    assetsDir: '',
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What every screen needs is one file: an emulator refuses requests beyond a few at a time.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'frame', test: FRAME }] } } },
  },
}))
