import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { componentStyles } from './scripts/component-styles.mjs';
import { plainEndpoints } from './scripts/plain-endpoints.mjs';

/** For `vite` and `vite preview`: the server whose API the pages call. */
const server = process.env['STARLING_SERVER'] ?? 'http://127.0.0.1:7700';

/** The console is served at /console/ by the server whose API it calls, at the same origin. */
export default defineConfig({
  base: '/console/',
  plugins: [react(), componentStyles(), plainEndpoints()],
  build: { outDir: 'dist/site', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1024 },
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/sdk', '/openapi.json'].map((path) => [path, { target: server, changeOrigin: false }]),
    ),
  },
});
