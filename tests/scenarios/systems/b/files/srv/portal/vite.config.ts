import { defineConfig, type ProxyOptions } from 'vite';

const edge: ProxyOptions = { target: 'http://127.0.0.1:@EDGE_PORT@', changeOrigin: true };

export default defineConfig({
  server: {
    port: 4173,
    proxy: {
      '/freight': edge,
      '/id': edge,
      '/ws': { ...edge, ws: true },
    },
  },
});
