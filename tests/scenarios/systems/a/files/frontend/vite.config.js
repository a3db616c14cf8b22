import { defineConfig } from 'vite';

export default defineConfig({
  server: {
    port: 5173,
    proxy: {
      '/api/v1': { target: 'http://127.0.0.1:@GATEWAY_PORT@', changeOrigin: true },
      '/live': { target: 'http://127.0.0.1:@GATEWAY_PORT@', changeOrigin: true, ws: true },
    },
  },
});
